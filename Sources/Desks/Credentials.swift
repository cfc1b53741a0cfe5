import Conversation
import Signing

/// What a desk sends to prove who asks.
enum Credentials {
    static func basic(_ user: String, _ password: Secret) -> String {
        "Basic " + Base64.encode(Array("\(user):\(password.reveal())".utf8))
    }

    static func header(_ value: String) -> (name: String, value: String) { ("Authorization", value) }
}
