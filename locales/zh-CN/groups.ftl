# 用户组。

groups-title = 用户组
done-group-changed = 用户组已修改。
done-group-deleted = 用户组已删除。
done-group-adopted = 用户组已交由 SCIM 管理。
done-group-created = 用户组已创建。
