# OpenBao as it comes. Region, endpoint and credentials of KMS it finds in its environment, as the enclave sets it (AWS_REGION,
# AWS_KMS_ENDPOINT); TLS ends before it, in the enclave.
disable_mlock = true
storage "file" {
  path = "<STORAGE>"
}
listener "tcp" {
  address     = "127.0.0.1:<PORT>"
  tls_disable = true
}
seal "awskms" {
  kms_key_id = "<KEY_ARN>"
}
