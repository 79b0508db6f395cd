# 审计日志。

audit-title = 审计日志
audit-about = 每一次变更的操作者、时间及所属请求。
audit-none = 还没有任何变更。
audit-action = 操作
audit-object = 对象
audit-none-fits = 没有符合条件的记录。
audit-actor = 操作者的名称或 ID
audit-action-hint = 操作或对象类型
audit-object-hint = 对象 ID
audit-together = 门户会话
audit-together-hint = 门户会话：其登录以及由此进入的账号
audit-since = 起始日期（UTC）
audit-until = 结束日期（UTC）
audit-all = 显示全部
audit-csv = 下载 CSV
audit-json = 下载 JSON
audit-file-about = 文件包含其中最近的 10,000 条记录。
