# Permission configurations.

configurations-title = Permission configurations
done-configuration-created = The permission configuration was created.
done-policies-added = The policies were added.
done-deployment-begun = The deployment has begun.
