import Conversation
import JSON
import Testing

@testable import WhatsApp

@Suite struct MessageTests {
    @Test func aTextIsReadWithSenderTimeAndAddress() throws {
        let items = try Payload.items("text")
        guard case .message(let message, let address, _) = items.first else {
            Issue.record("no message")
            return
        }
        #expect(items.count == 1)
        #expect(message.content == .text("Is the three o'clock slot free?"))
        #expect(message.sender == Sender(identifiers: [Identifier(kind: .phone, value: "+15550123456")], profileName: "Customer One"))
        #expect(message.providerID == "wamid.IN0001")
        #expect(message.sentAt == Timestamp(seconds: 1_780_000_001))
        #expect(message.raw == nil)
        #expect(message.context == MessageContext())
        #expect(address == InstanceAddress(channel: ChannelName(rawValue: "whatsapp"), app: "main", account: "106540352242922"))
    }

    @Test func contextSaysWhatAMessageAnswersAndWhereItComesFrom() throws {
        #expect(try Payload.message("text-reply").context.replyTo == "wamid.OUT0001")
        #expect(try Payload.message("text-forwarded").context.isForwarded)
        #expect(try Payload.message("text-forwarded-often").context.isForwarded)
        #expect(try Payload.message("text-forwarded").context.replyTo == nil)
        #expect(try Payload.message("text-referral").context.referral?["source_id"] == "900001")
        #expect(try Payload.message("text-group").context.groupID == "group-0001")
        #expect(try Payload.message("text-identity-changed").context.identityChanged)
    }

    @Test func whatTheModelHasNoRoomForIsKeptRaw() throws {
        let product = try #require(try Payload.message("text-product").raw)
        #expect(product.contains("sku-17"))
        #expect(try Payload.message("location").raw?.contains("https://maps.example/1") == true)
    }

    @Test func everyKindOfMediaIsRead() throws {
        let image = Media(kind: .image, id: "600000000000001", mimeType: "image/jpeg", sha256: "aW1hZ2U=", caption: "This cut, please")
        #expect(try Payload.message("image").content == .media(image))
        let document = try Payload.message("document").content
        guard case .media(let file) = document else { return #expect(document.kind == "document") }
        #expect(file.filename == "resume.pdf")
        #expect(file.caption == "My résumé")
        for kind in ["video", "audio", "voice", "document", "sticker"] { #expect(try Payload.message(kind).content.kind == kind) }
    }

    @Test func placesAndCardsAreRead() throws {
        let place = Location(latitude: 52.520008, longitude: 13.404954, name: "Corner shop", address: "1 Example Street")
        #expect(try Payload.message("location").content == .location(place))
        guard case .contacts(let cards) = try Payload.message("contacts").content else {
            Issue.record("no contacts")
            return
        }
        #expect(cards.count == 2)
        #expect(cards[0].at(pointer: "/phones/0/wa_id") == "15550100100")
    }

    @Test func aReactionWithoutEmojiWasTakenBack() throws {
        #expect(try Payload.message("reaction").content == .reaction(Reaction(messageID: "wamid.OUT0003", emoji: "👍🏽")))
        #expect(try Payload.message("reaction-removed").content == .reaction(Reaction(messageID: "wamid.OUT0003", emoji: nil)))
        let empty = #"{"type":"reaction","reaction":{"message_id":"wamid.OUT0003","emoji":""}}"#
        #expect(try Hook.message(empty).content == .reaction(Reaction(messageID: "wamid.OUT0003", emoji: nil)))
    }

    @Test func everyKindOfReplyIsRead() throws {
        #expect(
            try Payload.message("button-reply").content == .reply(InteractiveReply(kind: .button, id: "opt-7f3a", title: "Confirm")))
        #expect(try Payload.message("list-reply").content == .reply(InteractiveReply(kind: .list, id: "opt-91bc", title: "Haircut")))
        #expect(
            try Payload.message("template-button").content
                == .reply(InteractiveReply(kind: .template, id: "confirm-9", title: "I will come")))
        let answers: JSONValue = ["flow_token": "t-1", "guests": 2, "date": "2026-06-01"]
        #expect(
            try Payload.message("form-reply").content
                == .reply(InteractiveReply(kind: .form, id: "flow", title: "Sent", response: answers)))
    }

    @Test func aFormWhoseAnswersAreNoJSONKeepsThemAsText() throws {
        let form = #"{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","response_json":"half {"}}}"#
        #expect(try Hook.message(form).content == .reply(InteractiveReply(kind: .form, id: "flow", response: "half {")))
    }

    @Test func anOrderIsKeptWhole() throws {
        guard case .order(let order) = try Payload.message("order").content else {
            Issue.record("no order")
            return
        }
        #expect(order.at(pointer: "/product_items/0/item_price") == 19.5)
        #expect(order["text"] == "Gift wrap")
    }

    @Test func noticesNameTheNewIdentifier() throws {
        let number = try Payload.message("system-changed-number")
        #expect(number.sender.identifiers == [Identifier(kind: .phone, value: "+15550123456")])
        guard case .system(let notice) = number.content else { return #expect(number.content.kind == "system") }
        #expect(notice.type == "user_changed_number")
        #expect(notice.newIdentifier == Identifier(kind: .phone, value: "+15550123999"))

        let id = try Payload.message("system-changed-user-id")
        #expect(id.sender.identifiers == [Identifier(kind: .bsuid, value: "US.1001")])
        guard case .system(let other) = id.content else { return #expect(id.content.kind == "system") }
        #expect(other.newIdentifier == Identifier(kind: .bsuid, value: "US.2002"))

        let identity = try Payload.message("system-identity-changed")
        #expect(identity.context.identityChanged)
        #expect(identity.sender.identifiers == [Identifier(kind: .phone, value: "+15550123456")])
        guard case .system(let changed) = identity.content else { return #expect(identity.content.kind == "system") }
        #expect(changed.newIdentifier == nil)
    }

    @Test func typesNobodyKnowsAreKeptRaw() throws {
        guard case .unsupported("hologram", let raw) = try Payload.message("type-of-tomorrow").content else {
            Issue.record("not kept")
            return
        }
        #expect(try JSONValue(parsing: Array(raw.utf8)).at(pointer: "/hologram/depth") == 3)
        guard case .unsupported("unsupported", let error) = try Payload.message("unsupported").content else {
            Issue.record("not kept")
            return
        }
        #expect(error.contains("131051"))
        guard case .unsupported("interactive.call_permission_reply", _) = try Payload.message("interactive-unknown").content else {
            Issue.record("not kept")
            return
        }
    }
}

@Suite struct SenderTests {
    private let id = Identifier(kind: .bsuid, value: "US.13491208655302741918")
    private let phone = Identifier(kind: .phone, value: "+15550123456")

    @Test func aUserIDComesFirstAndThePhoneIsLinked() throws {
        #expect(try Payload.message("user-id-and-phone").sender.identifiers == [id, phone])
    }

    @Test func aSenderWithoutPhoneIsKnownByUserID() throws {
        let sender = try Payload.message("user-id-only").sender
        #expect(sender.identifiers == [id, Identifier(kind: .parentBSUID, value: "US.ENT.11815799212886844830")])
        #expect(sender.profileName == "customer.one")
    }

    @Test func aUserIDIsNeverTakenForAPhone() throws {
        let text = #"{"from":"US.15550123456","type":"text","text":{"body":"x"}}"#
        #expect(try Hook.message(text).sender.identifiers == [Identifier(kind: .bsuid, value: "US.15550123456")])
        for name in ["us.1", "U.1", "USA.1", "US.", "US1", "1S.1", "ÜS.1"] { #expect(!UserName.isBusinessScoped(name), "\(name)") }
        for name in ["", "+", "1234", "1234567890123456", "123a5", "US.12345", "１２３４５６"] { #expect(UserName.phone(name) == nil, "\(name)") }
        #expect(UserName.phone("+15550123456") == "+15550123456")
    }

    @Test func eachMessageGetsItsOwnContact() throws {
        let senders = try Payload.items("two-senders").map { item -> Sender? in
            if case .message(let message, _, _) = item { message.sender } else { nil }
        }
        #expect(senders.map { $0?.profileName } == ["Customer One", "Customer Two"])
        #expect(senders.map { $0?.identifiers.first?.value } == ["+15550120001", "+15550120002"])
    }

    @Test func aContactOfSomeoneElseNamesNobody() throws {
        let message = try Hook.message(
            #"{"from":"15550199999","type":"text","text":{"body":"x"}}"#, contacts: #"[{"wa_id":"15550123456","profile":{"name":"Other"}}]"#
        )
        #expect(message.sender == Sender(identifiers: [Identifier(kind: .phone, value: "+15550199999")]))
    }
}
