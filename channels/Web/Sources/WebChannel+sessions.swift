import Conversation

extension WebChannel {
    /// Lets a guest or a signed-in visitor in and hands out a token.
    func openSession(_ request: ChannelRequest) async -> ChannelResponse {
        await admit(request) { (admission) throws(Refusal) in
            try limit(.opens, admission.address, admission, perMinute: admission.opensPerMinute)
            let body = try SessionRequest(request.body)
            if admission.origin == nil { try Self.check(body.appKey, at: admission.instance) }
            let visit = VisitRequest(proof: try await proof(body, at: admission.instance), locale: body.locale, timeZone: body.timeZone)
            let opened = try await Self.stored { try await visitors.open(visit, at: admission.instance) }
            return ChannelResponse(status: 201, body: CanonicalJSON.bytes(Self.json(opened)))
        }
    }

    private static func check(_ appKey: String?, at instance: InstanceConfiguration) throws(Refusal) {
        guard AppKeys.contain(appKey ?? "", instance.settings.secrets("app_keys")) else {
            throw Refusal(403, "A request without an origin needs an app_key of this instance")
        }
    }

    /// A token that is not good never makes a guest: whoever brings one wants to be known.
    private func proof(_ body: SessionRequest, at instance: InstanceConfiguration) async throws(Refusal) -> VisitRequest.Proof {
        if let token = body.authToken { return .signedIn(try await SignIn(instance: instance, tokens: tokens).sender(token)) }
        guard instance.acceptGuests else {
            throw Refusal(401, "This instance takes no guests; auth_token is missing", headers: ["WWW-Authenticate": "Bearer"])
        }
        return .guest(resumeSecret: body.resumeSecret)
    }

    private static func json(_ visit: Visit) -> JSONValue {
        var members: [String: JSONValue] = [
            "token": .string(visit.token), "expires_at": .string(visit.expiresAt.description),
            "user": ["id": .string(visit.user.id.description), "tier": .string(visit.user.tier)],
            "session": ["id": .string(visit.session.description)],
        ]
        if let secret = visit.resumeSecret { members["resume_secret"] = .string(secret) }
        return .object(members)
    }
}
