# 概览。

overview-title = 概览
done-space-opened = 身份中心已开通。
