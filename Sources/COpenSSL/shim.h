// libcrypto's HMAC lives behind EVP_MAC since OpenSSL 3.0; these are the headers that Signing needs and no more.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
