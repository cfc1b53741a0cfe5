import Testing

/// One mistake in an installation that was in order, and what must be said about it.
struct BrokenConfiguration: CustomTestStringConvertible, Sendable {
    let name: String
    let file: String
    /// Replaced once in the file; nil: the whole file becomes `new`.
    let old: String?
    let new: String
    /// A text of the changed file in whose line the problem must be reported.
    let at: String
    let key: String
    let what: String
    let remedy: String

    var testDescription: String { name }

    init(_ name: String, _ file: String, _ old: String?, _ new: String, at: String? = nil, key: String, _ what: String, _ remedy: String) {
        self.name = name
        self.file = file
        self.old = old
        self.new = new
        self.at = at ?? new
        self.key = key
        self.what = what
        self.remedy = remedy
    }

    static let brandFile = "config/brands/shop/brand.yaml"
    static let actionsFile = "config/brands/shop/actions.yaml"
    static let schemasFile = "config/brands/shop/schemas.yaml"

    static let inBrand: [BrokenConfiguration] = [
        .init(
            "unknown key", brandFile, "time_zone:", "timezone:", key: "timezone", "unknown key \"timezone\"", "did you mean \"time_zone\"?"),
        .init("missing name", brandFile, "name: The shop\n", "", at: "brand: shop", key: "name", "is missing", "add \"name: shop\""),
        .init(
            "foreign folder", brandFile, "brand: shop", "brand: store", key: "brand", "lies in the folder \"shop\"",
            "give both the same name"),
        .init(
            "bad brand id", brandFile, "brand: shop", "brand: The_Shop", key: "brand", "cannot be a brand's id",
            "small letters, digits and hyphens"),
        .init(
            "unset variable", brandFile, "${SHOP_TOKEN}\" }", "${SHOP_TOKN}\" }", key: "api.auth.bearer", "SHOP_TOKN is not set",
            "set SHOP_TOKN"),
        .init("open reference", brandFile, "name: The shop", "name: \"${SHOP\"", key: "name", "no closing brace", "${NAME:-default}"),
        .init("bad locale", brandFile, "locale: en-GB", "locale: english", key: "locale", "is not a language tag", "write it like en-US"),
        .init(
            "bad time zone", brandFile, "time_zone: Europe/London", "time_zone: Europe/Lodnon", key: "time_zone",
            "no time zone \"Europe/Lodnon\"",
            "did you mean \"Europe/London\"?"),
        .init(
            "abbreviated zone", brandFile, "time_zone: Europe/London", "time_zone: EST", key: "time_zone", "no time zone \"EST\"",
            "IANA name"),
        .init(
            "bad role", brandFile, "role: admin", "role: admn", key: "keys[0].role", "\"admn\" is not allowed", "did you mean \"admin\"?"),
        .init("short key", brandFile, "${SHOP_KEY}", "swordfish", key: "keys[0].key", "shorter than 16 bytes", "at least 16 random bytes"),
        .init(
            "empty secret", brandFile, "${SHOP_SIGNING}", "${NO_SUCH:-}", key: "api.signing_secrets[0]", "is empty",
            "set the environment variable"),
        .init(
            "secret that is no base64", brandFile, "${SHOP_SIGNING}", "whsec_not*base64*at*all", key: "api.signing_secrets[0]",
            "is not base64",
            "openssl rand -base64 32"),
        .init(
            "base URL of another kind", brandFile, "${SHOP_URL:-https://shop.test}", "ftp://shop.test", key: "api.base_url",
            "not an http or https URL", "https://host/path"),
        .init(
            "credentials in the URL", brandFile, "${SHOP_URL:-https://shop.test}", "https://a:b@shop.test", key: "api.base_url",
            "not a plain base URL",
            "without user"),
        .init("zero timeout", brandFile, "timeout_s: 20", "timeout_s: 0", key: "api.timeout_s", "out of range", "from 0.001 to 600"),
        .init(
            "number as text", brandFile, "max_concurrent: 5", "max_concurrent: \"5\"", key: "api.max_concurrent", "not a whole number",
            "without quotes"),
        .init(
            "flag as word", brandFile, "accept_guests: true", "accept_guests: yes", key: "instances[0].accept_guests", "not a truth value",
            "write true or false"),
        .init(
            "bad address", brandFile, "[\"127.0.0.1\"]", "[\"localhost\"]", key: "api.allow_private_addresses[0]", "is not an address",
            "an IP or CIDR"),
        .init(
            "unknown channel", brandFile, "channel: messenger", "channel: messanger", key: "instances[0].channel",
            "no channel \"messanger\"", "did you mean \"messenger\"?"),
        .init(
            "text of another form", brandFile, "accept_guests: true", "colours: [\"#00ff7f\", green]", key: "instances[0].colours[1]",
            "\"green\" is not a colour", "write #rrggbb"),
        .init(
            "short secret for tokens", brandFile, "accept_guests: true", "jwt: { hs256_secret: \"a-secret-of-thirty-one-bytes-xx\" }",
            key: "instances[0].jwt.hs256_secret", "shorter than 32 bytes", "at least 32 random bytes"),
        .init("unknown app", brandFile, "app: main", "app: man", key: "instances[0].app", "has no app \"man\"", "did you mean \"main\"?"),
        .init(
            "missing setting of the channel", brandFile, "    account: \"1001\"\n", "", at: "- id: shop-chat", key: "instances[0].account",
            "is missing",
            "add \"account: "),
        .init(
            "list in place of text", brandFile, "name: The shop", "name: [The shop]", key: "name", "is not a single value", "write one text"
        ),
        .init(
            "text in place of list", brandFile, "tiers: [guest, verified]", "tiers: guest", key: "tiers", "is not a list", "write [a, b]"),
        .init(
            "two ways to sign in", brandFile, "auth: { ", "auth: { basic: { user: u, password: p }, ", key: "api.auth", "names 2 ways",
            "give one of"),
        .init(
            "unknown popular action", brandFile, "tiers: [", "popular_actions: [order_item, cancel_order, list_order]\ntiers: [",
            at: "popular_actions",
            key: "popular_actions[2]", "no action \"list_order\"", "did you mean \"list_orders\"?"),
        .init(
            "too few popular actions", brandFile, "tiers: [", "popular_actions: [order_item]\ntiers: [", at: "popular_actions",
            key: "popular_actions",
            "lists 1 actions", "list 3 to 7"),
        .init(
            "duplicate key", brandFile, "locale: en-GB", "name: Shop again", at: "name: The shop", key: "name", "stands twice",
            "keep one of them"),
        .init(
            "tab", brandFile, "locale: en-GB", "locale: en-GB\nother:\n\t- x", at: "\t- x", key: "brand.yaml", "YAML syntax",
            "tabs cannot indent"),
        .init(
            "open bracket", brandFile, "tiers: [guest, verified]", "tiers: [guest, verified", at: "instances:", key: "brand.yaml",
            "YAML syntax", "fix column"),
        .init(
            "two documents", brandFile, "tiers: [guest, verified]", "---\ntiers: [guest]", at: "---", key: "brand.yaml", "another document",
            "fix column"),
        .init(
            "bad price", brandFile, "currency: USD", "currency: dollars", key: "llm.prices.tiny.currency", "not a currency code",
            "three capital letters"),
    ]

    static let inActions: [BrokenConfiguration] = [
        .init(
            "misspelt section", actionsFile, "    params:\n      - { name: item", "    parms:\n      - { name: item", at: "    parms:",
            key: "actions[0].parms", "unknown key \"parms\"", "did you mean \"params\"?"),
        .init(
            "two actions of one name", actionsFile, "canonical_name: list_orders", "canonical_name: cancel_order",
            at: "canonical_name: cancel_order\n    display_name: Orders", key: "actions[2].canonical_name", "is already defined",
            "choose another name"),
        .init(
            "synonym of another's name", actionsFile, "[buy_item]", "[list_orders]", at: "canonical_name: list_orders",
            key: "actions[2].canonical_name", "is already defined", "choose another name"),
        .init(
            "name with capitals", actionsFile, "canonical_name: list_orders", "canonical_name: listOrders",
            key: "actions[2].canonical_name", "is not a name", "small letters"),
        .init(
            "unknown compensation", actionsFile, "compensate: cancel_order", "compensate: cancel_odrer", key: "actions[0].compensate",
            "no action \"cancel_odrer\"", "did you mean \"cancel_order\"?"),
        .init(
            "unknown opposite", actionsFile, "opposites: [cancel_order]", "opposites: [undo_all]",
            key: "actions[0].eligibility.opposites[0]", "no action \"undo_all\"", "known: cancel_order, list_orders, order_item"),
        .init(
            "unknown blocker", actionsFile, "blockers: [debt]", "blockers: [dept]", key: "actions[0].eligibility.blockers[0]",
            "no blocker \"dept\"", "did you mean \"debt\"?"),
        .init(
            "unknown tier", actionsFile, "user_tier: guest", "user_tier: gold", key: "actions[0].eligibility.user_tier", "no tier \"gold\"",
            "known: guest, verified"),
        .init(
            "unknown schema key", actionsFile, "account: [phone]", "account: [fone]", key: "actions[0].eligibility.schemas.account[0]",
            "has no key \"fone\"", "known: address, balance, phone"),
        .init(
            "unknown schema", actionsFile, "{ schema: stock, path: /items }", "{ schema: stok, path: /items }",
            key: "actions[0].params[0].from.schema", "no schema \"stok\"", "did you mean \"stock\"?"),
        .init(
            "unknown kind", actionsFile, "entity: number", "entity: nmber", key: "actions[0].params[3].entity", "\"nmber\" is not allowed",
            "did you mean \"number\"?"),
        .init(
            "question missing", actionsFile, "maximum: 9, ask: \"How many?\"", "maximum: 9", key: "actions[0].params[3]",
            "nothing asks for", "add \"ask: …\""),
        .init(
            "choice without options", actionsFile, "options: [{ id: s, label: Small }, { id: l, label: Large }], ", "", at: "name: size",
            key: "actions[0].params[1]", "one source of options", "add either"),
        .init(
            "bounds upside down", actionsFile, "minimum: 1, maximum: 9", "minimum: 9, maximum: 1", key: "actions[0].params[3].minimum",
            "above maximum", "swap them"),
        .init(
            "bad pattern", actionsFile, "'^.{1,80}$'", "'(?=x)'", key: "actions[0].params[5].pattern", "is not an RE2 pattern",
            "no look-around"),
        .init(
            "bad pointer", actionsFile, "order_id: /id", "order_id: id", key: "actions[0].result.order_id", "is not a JSON Pointer",
            "write it like /address/street"),
        .init(
            "bad escape in a pointer", actionsFile, "order_id: /id", "order_id: /a~2b", key: "actions[0].result.order_id",
            "~ is followed by", "~1 stands for /"),
        .init(
            "unknown method", actionsFile, "method: POST\n", "method: SEND\n", key: "actions[0].request.method", "\"SEND\" is not allowed",
            "GET, POST, PUT, PATCH, DELETE"),
        .init(
            "relative path", actionsFile, "path: /orders, query: { customer: \"{user.id}\" } }\n    result_list",
            "path: orders, query: { customer: \"{user.id}\" } }\n    result_list", at: "path: orders,", key: "actions[2].request.path",
            "does not begin with one slash", "below base_url"),
        .init(
            "write without body", actionsFile, ", body: { customer: \"{user.id}\", order: \"{order}\" } }", " }",
            at: "/orders/{order.id}/cancel", key: "actions[1].request", "a write without a body", "only bodies are signed"),
        .init(
            "id in the path only", actionsFile, "customer: \"{user.id}\", order: \"{order}\"", "customer: \"{user.id}\"",
            at: "/orders/{order.id}/cancel", key: "actions[1].request", "{order.id} stands in the path", "repeat it in the body"),
        .init(
            "GET with effect", actionsFile, "    display_name: Orders\n", "    display_name: Orders\n    safety: unsafe\n",
            at: "safety: unsafe", key: "actions[2].safety", "a GET has no effect", "write \"safety: read\""),
        .init(
            "look-up missing", actionsFile, "    lookup: { method: GET, path: /orders, query: { reference: \"{task_id}\" } }\n", "",
            at: "safety: queryable", key: "actions[1].safety", "nothing to look the effect up", "add \"lookup:"),
        .init(
            "look-up by nothing", actionsFile, "{ reference: \"{task_id}\" }", "{ all: \"1\" }", key: "actions[1].lookup",
            "does not name what it looks for", "{idempotency_key} or {task_id}"),
        .init(
            "unknown placeholder in a body", actionsFile, "count: \"{count}\"", "count: \"{cuont}\"", key: "actions[0].request.body.count",
            "{cuont}: nothing has this name", "did you mean \"count\"?"),
        .init(
            "unknown customer field", actionsFile, "body: { customer: \"{user.id}\", order: \"{order}\" }",
            "body: { customer: \"{user.idd}\", order: \"{order}\" }", key: "actions[1].request.body.customer",
            "the customer has no \"idd\"", "did you mean {user.id}?"),
        .init(
            "field of a number", actionsFile, "count: \"{count}\"", "count: \"{count.value}\"", key: "actions[0].request.body.count",
            "a number has no fields", "write {count}"),
        .init(
            "open placeholder", actionsFile, "{item.name} for", "{item.name for", at: "{item.name for", key: "actions[0].confirm",
            "is not a placeholder", "write {name}"),
        .init(
            "format in a request", actionsFile, "day: \"{day}\"", "day: \"{day:date}\"", key: "actions[0].request.body.day",
            "takes the value as it is", "write {day}"),
        .init(
            "typed phone selects a record", actionsFile, "path: \"/orders/{item.id}\"", "path: \"/orders/{item.id}/{phone}\"",
            at: "method: POST\n      path", key: "actions[0].request", "a typed phone would select", "use {user.phone}"),
        .init(
            "default from nowhere", actionsFile, "default: \"{user.phone}\"", "default: \"{profile.phone}\"",
            key: "actions[0].params[4].default", "nothing has this name", "user.phone"),
        .init(
            "unknown refused parameter", actionsFile, "refused_parameter: item", "refused_parameter: itm",
            key: "actions[0].refused_parameter", "no parameter \"itm\"", "did you mean \"item\"?"),
        .init(
            "status out of range", actionsFile, "[503]", "[200]", key: "actions[0].not_done_statuses[0]", "out of range", "from 400 to 599"),
        .init(
            "no wait", actionsFile, "backoff_s: [1.5, 3]", "backoff_s: []", key: "actions[0].retry.backoff_s", "is empty", "[2, 4, 8, 16]"),
        .init(
            "negative wait", actionsFile, "backoff_s: [1.5, 3]", "backoff_s: [-1]", key: "actions[0].retry.backoff_s[0]", "out of range",
            "write a number from"),
        .init(
            "workflow", actionsFile, "triggers_workflow: null", "triggers_workflow: after_sale", key: "actions[0].triggers_workflow",
            "no workflow \"after_sale\"", "write null"),
        .init(
            "format of nothing", actionsFile, "formats: { day: date } }, ask", "formats: { dya: date } }, ask",
            key: "actions[1].params[0].from.formats.dya", "does not occur in the text", "did you mean \"day\"?"),
    ]

    static let elsewhere: [BrokenConfiguration] = [
        .init(
            "schema that writes", schemasFile, "{ method: GET, path: /stock }", "{ method: POST, path: /stock }",
            key: "schemas[0].request.method", "could change something", "only GET"),
        .init(
            "schema that needs a parameter", schemasFile, "/accounts/{user.id}", "/accounts/{phone}", key: "schemas[1].request.path",
            "{phone}: nothing has this name", "user.phone"),
        .init("endless cache", schemasFile, "ttl_s: 60", "ttl_s: -1", key: "schemas[0].ttl_s", "out of range", "write a number from"),
        .init(
            "two rules of completion", schemasFile, "{ all_of: [/street, /city] }", "{ all_of: [/street], matches: x }",
            key: "schemas[1].keys[1].complete_when", "names 2 rules", "give one of"),
        .init(
            "blocker of an unknown schema", schemasFile, "name: debt, schema: account", "name: debt, schema: acount",
            key: "blockers[0].schema", "no schema \"acount\"", "did you mean \"account\"?"),
        .init(
            "blocker without condition", schemasFile, "{ path: /balance, greater_than: 0 }", "{ path: /balance }", key: "blockers[0].when",
            "exactly one condition", "greater_than, less_than, equals, present"),
        .init(
            "blocker that speaks of nothing", schemasFile, "{account.balance}", "{acount.balance}", key: "blockers[0].say",
            "nothing has this name", "known: "),
        .init(
            "schema twice", schemasFile, "name: orders", "name: stock", at: "name: stock\n    request: { method: GET, path: /orders",
            key: "schemas[2].name", "is already defined in line 2", "choose another name"),
        .init(
            "collected by nobody", schemasFile, "collect_with: order_item", "collect_with: ordr_item", key: "schemas[1].collect_with",
            "no action \"ordr_item\"", "did you mean \"order_item\"?"),
        .init(
            "intent of an unknown action", "config/brands/shop/intents.yaml", "action: order_item", "action: order_itm",
            key: "intents[1].action", "no action \"order_itm\"", "did you mean \"order_item\"?"),
        .init(
            "greeting with an action", "config/brands/shop/intents.yaml", "type: greeting,", "type: greeting, action: order_item,",
            key: "intents[0].action", "only an intent of type action", "remove it"),
        .init(
            "bad intent pattern", "config/brands/shop/intents.yaml", "'^hi$'", "'(hi'", key: "intents[0].patterns[0]",
            "is not an RE2 pattern", "RE2 syntax"),
        .init(
            "unknown result in a text", "config/brands/shop/templates.yaml", "{result.order_id}", "{result.order}",
            key: "report_completion.order_item", "no result \"order\"", "known: order_id"),
        .init(
            "list of texts", "config/brands/shop/templates.yaml", "greeting: \"Hello {user.name}, {brand.name} here.\"", "greeting: [a, b]",
            key: "greeting", "is not a single value", "write one text"),
        .init(
            "no rate at all", "config/brands/shop/policies.yaml", "user_per_minute: 12", "user_per_minute: 0",
            key: "limits.user_per_minute", "out of range", "from 1 to"),
        .init("empty actions", actionsFile, nil, "", at: "", key: "actions.yaml", "is empty", "fill it in"),
        .init(
            "misspelt file", "config/brands/shop/policies.yml", nil, "limits: {}\n", at: "limits", key: "policies.yml",
            "no file of a brand has this name", "did you mean \"policies.yaml\"?"),
    ]

    static let inInstallation: [BrokenConfiguration] = [
        .init(
            "short operator key", "config/switchboard.yaml", "${OPERATOR_KEY}", "opensesame", key: "operator_key", "shorter than 16 bytes",
            "at least 16 random bytes"),
        .init(
            "jitter above one", "config/switchboard.yaml", "jitter: 0.2", "jitter: 1.5", key: "queue.jitter", "out of range", "from 0 to 1"),
        .init(
            "more for one than for all", "config/switchboard.yaml", "turns_per_brand: 8", "turns_per_brand: 80",
            key: "queue.turns_per_brand", "all together only 16", "at most turns"),
        .init(
            "unknown queue key", "config/switchboard.yaml", "  turns: 16", "  turn: 16", at: "  turn: 16", key: "queue.turn",
            "unknown key \"turn\"", "did you mean \"turns\"?"),
        .init(
            "body limit as text", "config/switchboard.yaml", "65536", "64K", key: "server.max_body_bytes", "\"64K\" is not a whole number",
            "from 1024 to"),
        .init(
            "room for no stream", "config/switchboard.yaml", "max_streams: 300", "max_streams: 0", key: "server.max_streams",
            "0 is out of range", "from 1 to"),
        .init(
            "proxy by name", "config/switchboard.yaml", "[\"127.0.0.1\"]", "[\"proxy.internal\"]", key: "server.trusted_proxies[0]",
            "\"proxy.internal\" is not an address", "an IP or CIDR"),
        .init(
            "short app secret", "channels/Messenger/channel.yaml", "${APP_SECRET}", "hunter2", key: "apps.main.app_secrets[0]",
            "shorter than 16 bytes", "random bytes"),
        .init(
            "no app secret", "channels/Messenger/channel.yaml", "[\"${APP_SECRET}\"]", "[]", key: "apps.main.app_secrets",
            "holds no secret", "at least one"),
        .init(
            "unknown app key", "channels/Messenger/channel.yaml", "verify_token:", "verify_tokn:", key: "apps.main.verify_tokn",
            "unknown key \"verify_tokn\"", "did you mean \"verify_token\"?"),
        .init(
            "app that cannot be part of a path", "channels/Messenger/channel.yaml", "  main:", "  Main App:", at: "app_secrets",
            key: "apps.Main App", "cannot name an app", "small letters"),
    ]
}
