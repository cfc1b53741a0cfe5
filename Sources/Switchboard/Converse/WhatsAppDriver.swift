#if Sandbox
    import Conversation

    /// A customer on WhatsApp: writes through the sandbox's signed webhooks, and reads what the Graph stand-in was asked to send.
    struct WhatsAppDriver: ConversationDriver {
        let instance: InstanceID
        let customer: Customer
        let sandbox: SandboxAPI

        enum Customer: Sendable {
            /// Digits only.
            case phone(String)
            case userID(String)
        }

        var identifiers: [Identifier] {
            switch customer {
            case .phone(let digits): [Identifier(kind: .phone, value: "+" + digits)]
            case .userID(let id): [Identifier(kind: .bsuid, value: id)]
            }
        }

        func say(_ text: String) async throws -> String { try await act(["text": .string(text)]) }

        func choose(_ option: DrivenOption) async throws -> String { try await act(["reply": ["id": .string(option.id)]]) }

        func replies() async throws -> [DrivenReply] {
            let answer = try await sandbox.get("/_sandbox/last?to=\(key)&instance=\(instance)")
            return (answer["messages"]?.array ?? []).map { message in
                let options = (message["options"]?.array ?? []).compactMap { option -> DrivenOption? in
                    guard let id = option["id"]?.string, let title = option["title"]?.string else { return nil }
                    return DrivenOption(id: id, title: title)
                }
                return DrivenReply(text: message["text"]?.string ?? "", options: options)
            }
        }

        private var key: String {
            switch customer {
            case .phone(let digits): digits
            case .userID(let id): id
            }
        }

        private func act(_ act: [String: JSONValue]) async throws -> String {
            var body = act
            body["instance"] = .string(instance.rawValue)
            switch customer {
            case .phone(let digits): body["from"] = .string(digits)
            case .userID(let id): body["from_user_id"] = .string(id)
            }
            let answer = try await sandbox.send("POST", "/_sandbox/say", .object(body))
            guard answer["gateway_status"]?.integer == 200, let id = answer["id"]?.string else {
                throw DriverError(description: "the gateway did not take the message: \(CanonicalJSON.text(answer))")
            }
            return id
        }
    }
#endif
