import Conversation
import Testing

@testable import ConfigurationLoading

@Suite struct MappingTests {
    @Test func anInstallationInOrderHasNoProblem() throws {
        let loaded = try Fixture().load()
        #expect(loaded.problems == [])
        #expect(loaded.brands.map(\.id.rawValue) == ["gym", "shop"])
        #expect(loaded.stopped.isEmpty)
        #expect(loaded.fatalProblems.isEmpty)
    }

    @Test func serverSettingsReplaceTheDefaultsTheyName() throws {
        let server = try Fixture().load().server
        #expect(server.maxBodyBytes == 65_536)
        #expect(server.requestTimeout == .milliseconds(7500))
        #expect(server.maxStreams == 300)
        #expect(server.trustedProxies.map(\.description) == ["127.0.0.1"])
        #expect(server.operatorKey.reveal() == "operator-key-0123456789")
        #expect(server.queue == QueueConfiguration(turnsPerBrand: 8, turns: 16, backoff: [1, 2], jitter: 0.2))
        #expect(server.queue.park == .seconds(1800))
        #expect(server.shutdownGrace == .seconds(40))
        #expect(server.keepEvents == .seconds(3 * 86_400))
        #expect(server.commandPatience == .seconds(90))
    }

    @Test func channelAppsCarryTheSettingsTheirChannelAskedFor() throws {
        let apps = try #require(try Fixture().load().apps[messenger.name])
        #expect(apps.map(\.name) == ["main"])
        #expect(apps[0].settings.secrets("app_secrets").map { $0.reveal() } == ["app-secret-0123456789"])
        #expect(apps[0].settings.secret("verify_token")?.reveal() == "verify-token-0123456789")
        #expect(apps[0].settings.text("base_url") == "https://messenger.test/v1")
        #expect(apps[0].settings.addresses("allow_private_addresses").map(\.description) == ["127.0.0.1"])
    }

    @Test func brandAndInstanceArriveComplete() throws {
        let brand = try #require(try Fixture().load().brands.last)
        #expect((brand.name, brand.locale, brand.timeZone) == ("The shop", "en-GB", "Europe/London"))
        #expect(brand.keys.map(\.role) == [.admin])
        #expect(brand.api.baseURL == "https://shop.test")
        #expect((brand.api.timeout, brand.api.maxConcurrent) == (.seconds(20), 5))
        if case .bearer(let token) = brand.api.auth { #expect(token.reveal() == "token-a") } else { Issue.record("no bearer") }
        let instance = try #require(brand.instances.first)
        #expect((instance.id.rawValue, instance.brand.rawValue, instance.channel.rawValue) == ("shop-chat", "shop", "messenger"))
        #expect(instance.acceptGuests)
        #expect(instance.sessionTimeout == .seconds(600))
        #expect(instance.settings.text("app") == "main")
        #expect(instance.settings.text("account") == "1001")
        #expect(brand.policies.limits == RateLimits(userPerMinute: 12, toolPerMinute: ["order_item": 3]))
        #expect(brand.intents.map(\.type) == [.greeting, .action])
        #expect(brand.templates["greeting"] == "Hello {user.name}, {brand.name} here.")
    }

    @Test func actionsArriveComplete() throws {
        let brand = try #require(try Fixture().load().brands.last)
        let order = try #require(brand.action(named: "order_item"))
        #expect(order.params.map(\.name) == ["item", "size", "day", "count", "phone", "note"])
        #expect(order.params[0].source == OptionSource(schema: "stock", path: "/items"))
        #expect(order.params[1].options.map(\.id) == ["s", "l"])
        #expect(order.params[2].open == OpeningSource(schema: "stock", path: "/hours"))
        #expect((order.params[3].minimum, order.params[3].maximum) == (1, 9))
        #expect(order.params[4].defaultValue == "{user.phone}")
        #expect(order.params.map(\.required) == [true, true, true, true, true, false])
        #expect(order.request.body?["gift"] == .bool(false))
        #expect(order.request.body?["page"] == .integer(2))
        #expect((order.safety, order.conflict, order.priority) == (.idempotent, .done, .high))
        #expect(order.retry == RetryPolicy(attempts: 3, backoff: [1.5, 3]))
        #expect(order.timeout == .seconds(20))
        #expect(order.eligibility.schemas == ["account": ["phone"]])
        #expect((order.compensate, order.refusedParameter, order.triggersWorkflow) == ("cancel_order", "item", nil))
    }

    @Test func safetyFollowsTheMethodWhenItIsNotSaid() throws {
        let fixture = try Fixture()
        try fixture.replace("config/brands/shop/actions.yaml", "    safety: idempotent\n", "")
        let brand = try #require(fixture.load().brands.last)
        #expect(brand.action(named: "order_item")?.safety == .unsafe)
        #expect(brand.action(named: "list_orders")?.safety == .read)
        #expect(brand.action(named: "cancel_order")?.lookup?.query == ["reference": "{task_id}"])
        #expect(brand.action(named: "list_orders")?.resultList?.formats == ["day": .date])
    }

    @Test func schemasAndBlockersArriveComplete() throws {
        let brand = try #require(try Fixture().load().brands.last)
        let account = try #require(brand.schema(named: "account"))
        #expect(account.keys.map(\.completion) == [.matches("^[0-9]+$"), .allOf(["/street", "/city"]), .present])
        #expect(account.ttl == .seconds(300))
        #expect(account.collectWith == "order_item")
        #expect(account.isPersonal)
        #expect(brand.schema(named: "orders")?.ttl == .milliseconds(2500))
        #expect(brand.blockers.map(\.condition) == [.greaterThan(0)])
        #expect(brand.blockers.map(\.path) == ["/balance"])
    }
}
