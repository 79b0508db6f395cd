# 多账号授权。

authorization-title = 多账号授权
done-assignments-begun = 多账号授权已开始：每项授权对应一个任务。
done-assignment-removed = 权限已移除。
