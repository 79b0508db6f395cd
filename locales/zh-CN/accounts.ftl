# 单个账号的页面。

done-cloud-set = 账号所在的云已保存。
done-step-confirmed = 谢谢。等待此步骤的任务会继续执行。
