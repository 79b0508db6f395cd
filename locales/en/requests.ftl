# Access requests.

requests-title = Access requests
request-setting-up = Being set up
request-over = Over
request-approved = Approved
request-rejected = Rejected
request-withdrawn = Withdrawn
done-request-approved = The request was approved. Tasks do the rest.
done-request-rejected = The request was rejected.
