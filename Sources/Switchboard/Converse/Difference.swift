#if Sandbox
    import ConfigurationLoading

    /// One thing that is not as a script says.
    struct Difference: Sendable, Equatable, CustomStringConvertible {
        var file: String
        var line: Int
        var what: String
        var expected: String
        var got: String

        init(_ script: ConversationScript, line: Int, what: String, expected: String, got: String) {
            (file, self.line, self.what, self.expected, self.got) = (script.file, line, what, expected, got)
        }

        /// The place, then both sides one below the other, lines of their own indented.
        var description: String { "\(file):\(line): \(what)\n    expected \(Self.indented(expected))\n    got      \(Self.indented(got))" }

        private static func indented(_ text: String) -> String { text.replacing("\n", with: "\n             ") }
    }
#endif
