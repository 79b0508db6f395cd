# 权限申请。

requests-title = 权限申请
request-setting-up = 部署中
request-over = 已结束
request-approved = 已批准
request-rejected = 已拒绝
request-withdrawn = 已撤回
done-request-approved = 申请已批准，其余由任务完成。
done-request-rejected = 申请已拒绝。
