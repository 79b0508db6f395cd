# 用户。

users-title = 用户
done-user-created = 用户已创建。
done-user-enabled = 用户已启用。
done-user-disabled = 用户已禁用，其门户会话已结束。
done-user-changed = 用户信息已修改。
done-user-deleted = 用户已删除。
done-user-adopted = 用户已交由 SCIM 管理。
