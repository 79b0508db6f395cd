# The overview.

overview-title = Overview
done-space-opened = The space is open.
