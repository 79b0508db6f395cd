# Permission configurations.

configurations-title = Permission configurations
done-command-line-on = People get credentials for the command line from now on.
done-command-line-off = Nobody gets credentials for the command line any more.
done-configuration-created = The permission configuration was created.
done-policies-added = The policies were added.
