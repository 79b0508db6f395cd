# The audit log.

audit-title = Audit log
