extension Fixture {
    static let server = """
        server: { max_body_bytes: 65536, request_timeout_s: 7.5, max_streams: 300, trusted_proxies: ["127.0.0.1"] }
        operator_key: "${OPERATOR_KEY}"
        queue:
          turns_per_brand: 8
          turns: 16
          backoff_s: [1, 2]
          jitter: 0.2
        bus: { keep_days: 3, command_patience_s: 90 }
        shutdown_grace_s: 40

        """

    static let channel = """
        channel: messenger
        apps:
          main:
            app_secrets: ["${APP_SECRET}"]
            verify_token: "${VERIFY_TOKEN}"
            base_url: "${BASE_URL:-https://messenger.test/v1/}"
            allow_private_addresses: ["127.0.0.1"]

        """

    static func brand(id: String, prefix: String, account: String) -> String {
        """
        brand: \(id)
        name: The \(id)
        locale: en-GB
        time_zone: Europe/London
        keys:
          - { key: "${\(prefix)_KEY}", role: admin }
        api:
          base_url: "${\(prefix)_URL:-https://\(id).test}"
          auth: { bearer: "${\(prefix)_TOKEN}" }
          signing_secrets: ["${\(prefix)_SIGNING}"]
          timeout_s: 20
          max_concurrent: 5
          allow_private_addresses: ["127.0.0.1"]
        llm:
          base_url: "${LLM_URL:-}"
          models: { intent: { model: tiny, temperature: 0.2, max_tokens: 100 }, response: tiny }
          prices: { tiny: { input_per_million: 1, output_per_million: 2, currency: USD } }
          timeout_s: 5
        tiers: [guest, verified]
        instances:
          - id: \(id)-chat
            channel: messenger
            app: main
            account: "\(account)"
            access_token: "${\(prefix)_TOKEN}"
            accept_guests: true
            session_timeout_min: 10

        """
    }

    static let actions = """
        actions:
          - canonical_name: order_item
            display_name: Order
            synonyms: [buy_item]
            examples: ["buy the blue one"]
            params:
              - { name: item, entity: choice, from: { schema: stock, path: /items }, ask: "Which one?" }
              - { name: size, entity: choice, options: [{ id: s, label: Small }, { id: l, label: Large }], ask: "Which size?" }
              - { name: day, entity: date, open: { schema: stock, path: /hours }, ask: "When?" }
              - { name: count, entity: number, minimum: 1, maximum: 9, ask: "How many?" }
              - { name: phone, entity: phone, default: "{user.phone}", ask: "Which number?" }
              - { name: note, entity: text, required: false, pattern: '^.{1,80}$' }
            confirm: "Order {item.name} for {account.balance:money}?"
            request:
              method: POST
              path: "/orders/{item.id}"
              body: { customer: "{user.id}", item: "{item.id}", size: "{size}", count: "{count}", day: "{day}", phone: "{phone}", gift: false, page: 2 }
            result: { order_id: /id }
            progress: ["Packing"]
            eligibility: { user_tier: guest, schemas: { account: [phone] }, blockers: [debt], after: [], opposites: [cancel_order] }
            safety: idempotent
            not_done_statuses: [503]
            conflict: done
            priority: high
            retry: { attempts: 3, backoff_s: [1.5, 3] }
            compensate: cancel_order
            triggers_workflow: null
            refused_parameter: item
          - canonical_name: cancel_order
            display_name: Cancel
            params:
              - { name: order, entity: choice, from: { schema: orders, path: /orders, label: "{title} of {day}", formats: { day: date } }, ask: "Which?" }
            request: { method: POST, path: "/orders/{order.id}/cancel", body: { customer: "{user.id}", order: "{order}" } }
            safety: queryable
            lookup: { method: GET, path: /orders, query: { reference: "{task_id}" } }
          - canonical_name: list_orders
            display_name: Orders
            request: { method: GET, path: /orders, query: { customer: "{user.id}" } }
            result_list: { path: /orders, item: "{title} on {day}", empty: "None.", formats: { day: date } }

        """

    static let schemas = """
        schemas:
          - name: stock
            request: { method: GET, path: /stock }
            ttl_s: 60
          - name: account
            request: { method: GET, path: "/accounts/{user.id}" }
            keys:
              - { name: phone, api_field_path: /phone, complete_when: { matches: '^[0-9]+$' } }
              - { name: address, api_field_path: /address, complete_when: { all_of: [/street, /city] } }
              - { name: balance, api_field_path: /balance }
            collect_with: order_item
          - name: orders
            request: { method: GET, path: /orders, query: { customer: "{user.id}" } }
            ttl_s: 2.5
        blockers:
          - { name: debt, schema: account, when: { path: /balance, greater_than: 0 }, say: "You owe {account.balance}." }

        """

    static let intents = """
        intents:
          - { type: greeting, examples: [hi], patterns: ['^hi$'] }
          - { type: action, action: order_item, patterns: ['(?i)order'] }

        """

    static let templates = """
        greeting: "Hello {user.name}, {brand.name} here."
        report_completion.order_item: "{item.name} in {size} is number {result.order_id}."

        """

    static let policies = """
        limits: { user_per_minute: 12, tool_per_minute: { order_item: 3 } }
        filters:
          - { name: exempt, pattern: 'carding wool', verdict: allow }
          - { name: card, pattern: '[0-9]{16}', side: both, verdict: deny, say: "No cards." }
          - { name: care, pattern: 'glass', verdict: warn, say: " " }
        rules:
          - { name: opening, actions: [order_item], hours: { mon-fri: ["09:00-12:00", "13:00-18:00"], sat: "22:00-02:00" }, say: "In {retry_after}." }
          - { name: most, actions: [order_item], at_most: { parameter: count, amount: 5 }, verdict: handover }
          - { name: members, tier: verified, verdict: warn, say: "{display_name} is for {tier} customers." }

        """

    static let gymActions = """
        actions:
          - canonical_name: list_classes
            display_name: Classes
            request: { method: GET, path: /classes }
            result_list: { path: /classes, item: "{name}", empty: "None today." }

        """
}
