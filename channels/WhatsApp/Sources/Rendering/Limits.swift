/// What WhatsApp carries (Meta: messages, interactive objects). Lengths are counted in UTF-16 code units: never less than what Meta counts.
enum Limits {
    static let text = 4096
    static let caption = 1024
    static let buttons = 3
    static let buttonTitle = 20
    static let buttonID = 256
    static let buttonBody = 1024
    static let rows = 10
    static let rowTitle = 24
    static let rowDescription = 72
    static let rowID = 200
    static let listBody = 4096
    static let listButton = 20
}
