// Registered and removed by the trust page: browsers refuse it unless the certificate is trusted. It does nothing.
