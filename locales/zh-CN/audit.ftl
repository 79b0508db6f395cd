# 审计日志。

audit-title = 审计日志
