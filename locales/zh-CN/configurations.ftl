# 权限配置。

configurations-title = 权限配置
done-command-line-on = 从现在起可获取命令行凭证。
done-command-line-off = 不再提供命令行凭证。
done-configuration-created = 权限配置已创建。
done-policies-added = 策略已添加。
