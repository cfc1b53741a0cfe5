import Conversation

@testable import Understanding

/// Two small brands as their configurations would describe them.
enum Salon {
    static let services: [ChoiceOption] = [
        .init(id: "cut-w", label: "Women's haircut", synonyms: ["ladies cut"], item: ["price": 55]),
        .init(id: "cut-m", label: "Men's haircut", synonyms: ["gents cut"]),
        .init(id: "colour", label: "Cut and colour", synonyms: ["dye"]), .init(id: "massage", label: "Deep tissue massage"),
        .init(id: "manicure", label: "Manicure", synonyms: ["nails"]), .init(id: "facial", label: "Express facial"),
        .init(id: "balayage", label: "Balayage", synonyms: ["highlights"]), .init(id: "beard", label: "Beard trim"),
    ]

    static let service = ParameterDefinition(name: "service", entity: .choice)
    static let params = [service, Ask.start, ParameterDefinition(name: "phone", entity: .phone)]

    static let actions: [ActionDefinition] = [
        .init(
            canonicalName: "book_service", displayName: "Book a service", description: "Book an appointment for a service at a time",
            synonyms: ["make_appointment", "reserve_slot", "create_booking"],
            examples: [
                "book a haircut tomorrow at 5pm", "I need an appointment", "can I come in for a massage on friday",
                "I'd like to get my hair cut",
                "do you have time for a manicure tomorrow", "is there a free slot on saturday morning", "put me down for a facial at 3",
            ], params: params, confirm: "Book?", request: .init(method: "POST", path: "/bookings"), safety: .idempotent),
        .init(
            canonicalName: "list_bookings", displayName: "My bookings", synonyms: ["show_appointments"],
            examples: ["what bookings do I have", "show my appointments", "when is my next appointment", "am I booked for friday"],
            request: .init(method: "GET", path: "/bookings")),
        .init(
            canonicalName: "cancel_booking", displayName: "Cancel a booking", synonyms: ["cancel_appointment"],
            examples: [
                "cancel my booking", "I can't make it to my appointment", "please call off my haircut", "I won't be able to come tomorrow",
            ],
            request: .init(method: "DELETE", path: "/bookings/{booking}"), safety: .idempotent),
        .init(
            canonicalName: "reschedule_booking", displayName: "Move a booking", synonyms: ["change_appointment"],
            examples: [
                "move my appointment to friday", "can we change the time of my booking", "I need to postpone my massage",
                "reschedule my visit",
            ],
            request: .init(method: "PATCH", path: "/bookings/{booking}"), safety: .idempotent),
        .init(
            canonicalName: "update_profile", displayName: "Update my details", synonyms: ["change_phone_number"],
            examples: ["my phone number has changed", "update my address", "I have a new email address", "change my contact details"],
            request: .init(method: "PUT", path: "/customers/{user.id}"), safety: .idempotent),
        .init(
            canonicalName: "list_services", displayName: "Our services", synonyms: ["show_services"],
            examples: ["what services do you offer", "show me the treatments", "which treatments are there", "what can I book"],
            request: .init(method: "GET", path: "/catalog")),
    ]

    static let intents: [IntentDefinition] = [
        .init(
            type: .action, action: "list_bookings", examples: ["anything coming up for me"],
            patterns: [#"\bmy (?:next|upcoming) (?:visit|appointment)s?\b"#]),
        .init(type: .help, examples: ["do you use vegan products"], patterns: [#"\bvegan\b"#]),
    ]

    static func classifier() throws -> EmbeddedClassifier { try EmbeddedClassifier(actions: actions, intents: intents) }

    static let shared: EmbeddedClassifier? = try? classifier()

    static let confirmation = AnswerSheet(
        type: .confirmation, options: ["yes": ["Yes, book it"], "no": ["No, thanks"]], order: ["yes", "no"], context: "book_service.confirm"
    )
    static let choice = AnswerSheet(
        type: .singleChoice, options: Dictionary(uniqueKeysWithValues: services.map { ($0.id, [$0.label] + $0.synonyms) }),
        order: services.map(\.id),
        context: "book_service.service")
    static let when = AnswerSheet(type: .entity, entityType: .datetime, context: "book_service.start")
}
