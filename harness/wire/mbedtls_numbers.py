"""The mbedTLS error numbers that the harness compares with, under the names of mbedTLS's headers.

Only constants, without the prefix MBEDTLS_ERR_. All names with their library versions are in
`harness.oracle.mbedtls_errors`, and a test holds the two against each other.
"""

from __future__ import annotations

# ssl.h.
SSL_BAD_CONFIG = -0x5E80
SSL_ILLEGAL_PARAMETER = -0x6600
SSL_BUFFER_TOO_SMALL = -0x6A00
SSL_INTERNAL_ERROR = -0x6C00
SSL_BAD_PROTOCOL_VERSION = -0x6E80
SSL_FEATURE_UNAVAILABLE = -0x7080
SSL_BAD_INPUT_DATA = -0x7100
SSL_INVALID_MAC = -0x7180
SSL_INVALID_RECORD = -0x7200
SSL_CONN_EOF = -0x7280
SSL_DECODE_ERROR = -0x7300
SSL_UNSUPPORTED_EXTENSION = -0x7500
SSL_NO_APPLICATION_PROTOCOL = -0x7580
SSL_CA_CHAIN_REQUIRED = -0x7680
SSL_UNEXPECTED_MESSAGE = -0x7700
# Every fatal alert that arrives, whichever it is (ssl_msg.c, mbedtls_ssl_handle_message_type).
SSL_FATAL_ALERT_MESSAGE = -0x7780
SSL_PEER_CLOSE_NOTIFY = -0x7880
SSL_BAD_CERTIFICATE = -0x7A00
SSL_ALLOC_FAILED = -0x7F00

# ssl.h of mbedTLS 2; 3.0 gave some of these numbers to other errors.
SSL_CERTIFICATE_TOO_LARGE = -0x7500
SSL_BAD_HS_SERVER_HELLO = -0x7980
SSL_BAD_HS_CERTIFICATE = -0x7A00
SSL_BAD_HS_CERTIFICATE_REQUEST = -0x7A80
SSL_BAD_HS_SERVER_KEY_EXCHANGE = -0x7B00
SSL_BAD_HS_SERVER_HELLO_DONE = -0x7B80
SSL_BAD_HS_CHANGE_CIPHER_SPEC = -0x7E00
SSL_BAD_HS_FINISHED = -0x7E80

# x509.h, pk.h, rsa.h, ecp.h.
X509_UNKNOWN_OID = -0x2100
X509_INVALID_FORMAT = -0x2180
X509_INVALID_ALG = -0x2300
X509_INVALID_EXTENSIONS = -0x2500
X509_UNKNOWN_VERSION = -0x2580
X509_UNKNOWN_SIG_ALG = -0x2600
# One number for every reason to refuse a certificate, on the API before load_verify_locations (micropython #10832).
X509_CERT_VERIFY_FAILED = -0x2700
X509_CERT_UNKNOWN_FORMAT = -0x2780
# Also the answer to a chain longer than MBEDTLS_X509_MAX_INTERMEDIATE_CA (x509_crt.c).
X509_FATAL_ERROR = -0x3000
PK_UNKNOWN_NAMED_CURVE = -0x3A00
PK_INVALID_PUBKEY = -0x3B00
PK_KEY_INVALID_FORMAT = -0x3D00
RSA_VERIFY_FAILED = -0x4380
ECP_VERIFY_FAILED = -0x4E00
ECP_FEATURE_UNAVAILABLE = -0x4E80

# asn1.h and oid.h: errors that are added to one of the above.
ASN1_UNEXPECTED_TAG = -0x0062
OID_NOT_FOUND = -0x002E
