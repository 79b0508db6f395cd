# 多账号授权。

authorization-title = 多账号授权
