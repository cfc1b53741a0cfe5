/// Keys and tokens made once with OpenSSL; the private keys are gone. The tokens name `salon-web` as their audience and end ten minutes
/// after the time at which a `ControlledClock` begins.
enum SignedTokens {
    static let rsaKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsGv24ZpysiPnyS1aFeAf
        Eo7L9Qj5k9AotvL5ZWrFg8abxilj6acDu4mIqbjf+DdIRsP04Z26hPpAo73aDcq7
        vutmGRKsWAeUHT7jD5om3XJ0PIE6nvZDhXrkofvB1i2WXzLtQFP752m8JRPRiuN+
        iJd90XBhgMRr7o2rP/fKUThbkEhWpzXFBqgQUUx1rIwQFsS4kFynJFrW7VkQPd/k
        3KFoEmwAhG8DJZER2anbE32DOuz6TOKLKUAN1x27UG81WC/FYq9M6CYW8Sr9KjgO
        pCLm5GF5Prks+ogHOI7QIWKDgI2QrzZEs3Q3hPs/cwBOFTbgQrH8JilxcKe/vfAu
        zQIDAQAB
        -----END PUBLIC KEY-----
        """
    static let shortRSAKey = """
        -----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCxj4TrYVThZuj28+atwOrrCcR+
        RBCOPay5CD7IEtMxy20UgvVjtc/+YrK3CrAgPw/2HoxkGmnUwhGLcSW0p/g0UoFh
        UJuoMy+z2sb6IGvnnyZ6QnlwxNAHlML1tw6Duprln0MIWsXdDEE07RpxNGJ7Eq3F
        cgfOENOEBFT8QS56ywIDAQAB
        -----END PUBLIC KEY-----
        """
    static let ecKey = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEg2sPPe1HOG4KByCsnFFLE3btJx8d
        h7CPQVAc9DPvoDSU1aSo18C1TloVKD2n6yJi7MrOEqqN2xWUzpR9Rq1sdQ==
        -----END PUBLIC KEY-----
        """
    static let rs256 =
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJzYWxvbi13ZWIiLCJleHAiOjE4MDAwMDA2MDAsInN1YiI6ImMtMSJ9."
        + "rSW0W6rGQogYZDy9nZJu4a1d6b_Lx3_auSYGmay17rRqhggbZTTBtanTXx6CdonpxH2WWZOTYi8se_cKSkt4HKgh0uhf_7-l52V1VoUCcRs-XR"
        + "Vux8olgIZQeShSU_SzeakqZ7y2EPNTz1Bhho-D4k0hEmNqljxHmO8HwkGRpUYgmWNCNZeDLrvNHR6NkZGXzTQZxt_JfBXZt0rFLSNP8arE47dj"
        + "dLynWMvVkYzqnrNxWVKBi8HO4A6Dpb9WQv8l69klmp5RfieLHQb75Rn-gefNNOe3DddLWznnspvACf_RiB_B7RPIacD1rumIqpmPf4P6o8QAYS"
        + "OrZROI3nm7kw"
    static let es256 =
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJzYWxvbi13ZWIiLCJleHAiOjE4MDAwMDA2MDAsInN1YiI6ImMtMSJ9."
        + "Z4TTm_Nf_xmJffS4dRJJI5WbDiXutxM6TfNROMBkuhPcCn1oQJNTgpqTR8p_---N1k1zszxZwPzBFOTALzIwiQ"
}
