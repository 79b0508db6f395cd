# 任务。

tasks-title = 任务
done-task-retried = 任务正在重试。
tasks-open = 进行中
tasks-about = 面向账号执行的步骤。无论您是否停留在此页，任务都会继续。
tasks-none = 没有任务。
tasks-under-way = 有任务正在进行。
tasks-at-rest = 没有正在进行的任务。
task = 任务
account = 账号
configuration = 权限配置
identity = 用户或用户组
begun = 开始时间
