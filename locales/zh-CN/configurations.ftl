# 权限配置。

configurations-title = 权限配置
done-configuration-created = 权限配置已创建。
done-policies-added = 策略已添加。
done-deployment-begun = 部署已开始。
