# 任务。

tasks-title = 任务
done-task-retried = 任务正在重试。
tasks-open = 进行中
