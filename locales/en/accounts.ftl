# The pages of one account.

done-cloud-set = Where the account is was saved.
done-step-confirmed = Thank you. What waited for it goes on now.
