/// The tables, step by step. A step that has shipped never changes. Times are milliseconds UTC, ids 16 bytes, JSON is text.
/// Every primary key and every unique index begins with `brand_id`, but those of `unrouted`, `nodes` and `migrations`.
enum Migrations {
    static let all = [initial, visitors, handovers, usage, queue, nodes, bus, desks, inbox, requests]

    /// A version of the program and the steps that it brought its stores up to.
    struct Release {
        var version: String
        var steps: Int
    }

    /// Oldest first. The last is the one in the making: its number rises with each step, until it has been released and the next one gets a
    /// line of its own.
    static let releases = [Release(version: "0.1.0", steps: 10)]

    /// How many steps a program must know to work with the tables as the step leaves them: those of the release before the step's own. So
    /// nodes can be replaced one by one, however many steps a release brings.
    static func worksFrom(step: Int, releases: [Release] = releases) -> Int { releases.last { $0.steps < step }?.steps ?? 0 }

    private static let initial = """
        CREATE TABLE users (
            brand_id TEXT NOT NULL, user_id {bytes} NOT NULL, tier TEXT NOT NULL, verified BIGINT NOT NULL, profile_name TEXT,
            locale TEXT, time_zone TEXT, created_at BIGINT NOT NULL, PRIMARY KEY (brand_id, user_id)){clustered};

        CREATE TABLE identifiers (
            brand_id TEXT NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, user_id {bytes} NOT NULL,
            created_at BIGINT NOT NULL, PRIMARY KEY (brand_id, channel, kind, value)){clustered};
        CREATE INDEX identifiers_of_user ON identifiers (brand_id, user_id);

        CREATE TABLE sessions (
            brand_id TEXT NOT NULL, session_id {bytes} NOT NULL, instance_id TEXT NOT NULL, user_id {bytes} NOT NULL,
            started_at BIGINT NOT NULL, last_message_at BIGINT NOT NULL, last_inbound_at BIGINT, ended_at BIGINT,
            PRIMARY KEY (brand_id, session_id)){clustered};
        CREATE UNIQUE INDEX sessions_active ON sessions (brand_id, instance_id, user_id) WHERE ended_at IS NULL;

        CREATE TABLE session_states (
            brand_id TEXT NOT NULL, session_id {bytes} NOT NULL, version BIGINT NOT NULL, state TEXT NOT NULL,
            PRIMARY KEY (brand_id, session_id)){clustered};

        CREATE TABLE messages (
            brand_id TEXT NOT NULL, session_id {bytes} NOT NULL, message_id {bytes} NOT NULL, direction TEXT NOT NULL,
            instance_id TEXT NOT NULL, user_id {bytes} NOT NULL, provider_id TEXT, content TEXT NOT NULL, context TEXT,
            raw TEXT, sent_at BIGINT NOT NULL, recorded_at BIGINT NOT NULL, outcome TEXT, turn_id {bytes}, status TEXT,
            status_rank BIGINT NOT NULL DEFAULT 0, status_at BIGINT, send_state TEXT, error TEXT, in_reply_to TEXT,
            PRIMARY KEY (brand_id, session_id, message_id));
        CREATE UNIQUE INDEX messages_provider ON messages (brand_id, instance_id, direction, provider_id) WHERE provider_id IS NOT NULL;
        CREATE INDEX messages_by_id ON messages (brand_id, message_id) WHERE direction = 'out';

        CREATE TABLE early_statuses (
            brand_id TEXT NOT NULL, instance_id TEXT NOT NULL, provider_id TEXT NOT NULL, status TEXT NOT NULL, status_rank BIGINT NOT NULL,
            at BIGINT NOT NULL, detail TEXT, PRIMARY KEY (brand_id, instance_id, provider_id)){clustered};

        CREATE TABLE lanes (
            brand_id TEXT NOT NULL, lane TEXT NOT NULL, pool TEXT NOT NULL, priority BIGINT NOT NULL, ready_at BIGINT,
            held_by TEXT, epoch BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (brand_id, lane)){clustered};
        CREATE INDEX lanes_ready ON lanes (brand_id, pool, priority, ready_at) WHERE ready_at IS NOT NULL;

        CREATE TABLE tasks (
            brand_id TEXT NOT NULL, lane TEXT NOT NULL, task_id {bytes} NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
            priority BIGINT NOT NULL, run_at BIGINT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL DEFAULT 0,
            crashes BIGINT NOT NULL DEFAULT 0, created_at BIGINT NOT NULL, node TEXT NOT NULL, PRIMARY KEY (brand_id, lane, task_id)){clustered};

        CREATE TABLE attempts (
            brand_id TEXT NOT NULL, subject_id {bytes} NOT NULL, number BIGINT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT,
            outcome TEXT, detail TEXT, PRIMARY KEY (brand_id, subject_id, number)){clustered};

        CREATE TABLE actions (
            brand_id TEXT NOT NULL, action_id {bytes} NOT NULL, task_id {bytes} NOT NULL, intent_id {bytes} NOT NULL,
            session_id {bytes} NOT NULL, instance_id TEXT NOT NULL, user_id {bytes} NOT NULL, canonical_action TEXT NOT NULL,
            params TEXT NOT NULL, method TEXT NOT NULL, target TEXT NOT NULL, body {bytes}, idempotency_key {bytes} NOT NULL,
            fingerprint {bytes} NOT NULL, state TEXT NOT NULL, may_have_taken_effect BIGINT NOT NULL DEFAULT 0,
            result TEXT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (brand_id, action_id)){clustered};
        CREATE UNIQUE INDEX actions_key ON actions (brand_id, idempotency_key);
        CREATE INDEX actions_of_user ON actions (brand_id, user_id, state);

        CREATE TABLE intents (
            brand_id TEXT NOT NULL, session_id {bytes} NOT NULL, intent_id {bytes} NOT NULL, turn BIGINT NOT NULL, status TEXT NOT NULL,
            entry TEXT NOT NULL, history TEXT NOT NULL, recorded_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
            PRIMARY KEY (brand_id, session_id, intent_id)){clustered};

        CREATE TABLE updates (
            brand_id TEXT NOT NULL, session_id {bytes} NOT NULL, seq BIGINT NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (brand_id, session_id, seq)){clustered};

        CREATE TABLE schema_cache (
            brand_id TEXT NOT NULL, schema TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, fetched_at BIGINT NOT NULL,
            PRIMARY KEY (brand_id, schema, subject)){clustered};

        CREATE TABLE dead_letters (
            brand_id TEXT NOT NULL, dead_letter_id {bytes} NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
            subject_id {bytes}, session_id {bytes}, instance_id TEXT, user_id {bytes}, task TEXT NOT NULL, state TEXT NOT NULL,
            created_at BIGINT NOT NULL, settled_at BIGINT, PRIMARY KEY (brand_id, dead_letter_id)){clustered};
        CREATE INDEX dead_letters_of_subject ON dead_letters (brand_id, subject_id);

        CREATE TABLE quarantine (
            brand_id TEXT NOT NULL, quarantine_id {bytes} NOT NULL, channel TEXT NOT NULL, app TEXT NOT NULL, account TEXT NOT NULL,
            reason TEXT NOT NULL, body {bytes} NOT NULL, state TEXT NOT NULL, created_at BIGINT NOT NULL,
            PRIMARY KEY (brand_id, quarantine_id)){clustered};

        CREATE TABLE unrouted (
            quarantine_id {bytes} NOT NULL PRIMARY KEY, channel TEXT NOT NULL, app TEXT NOT NULL, account TEXT, reason TEXT NOT NULL,
            body {bytes} NOT NULL, state TEXT NOT NULL, created_at BIGINT NOT NULL){clustered};

        CREATE TABLE events (
            brand_id TEXT NOT NULL, event_id {bytes} NOT NULL, kind TEXT NOT NULL, instance_id TEXT NOT NULL, at BIGINT NOT NULL,
            data TEXT NOT NULL, published_at BIGINT, PRIMARY KEY (brand_id, event_id)){clustered};
        CREATE INDEX events_waiting ON events (brand_id, event_id) WHERE published_at IS NULL;

        CREATE TABLE fields (
            brand_id TEXT NOT NULL, field_id {bytes} NOT NULL, instance_id TEXT, name TEXT NOT NULL, body {bytes} NOT NULL,
            created_at BIGINT NOT NULL, PRIMARY KEY (brand_id, field_id)){clustered};

        CREATE TABLE request_keys (
            brand_id TEXT NOT NULL, request_key TEXT NOT NULL, body_hash {bytes} NOT NULL, status BIGINT, answer {bytes},
            created_at BIGINT NOT NULL, PRIMARY KEY (brand_id, request_key)){clustered};

        CREATE TABLE opt_outs (
            brand_id TEXT NOT NULL, user_id {bytes} NOT NULL, topic TEXT NOT NULL, at BIGINT NOT NULL, proof TEXT NOT NULL,
            PRIMARY KEY (brand_id, user_id, topic)){clustered};
        """

    /// Channels whose visitors have no identity of their own: their tokens, and feeds of what they see. `sessions_of_conversation` finds
    /// the messages of a conversation at the price of a row a session, not of one a message.
    private static let visitors = """
        CREATE TABLE feed (
            brand_id TEXT NOT NULL, instance_id TEXT NOT NULL, user_id {bytes} NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL,
            body TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (brand_id, instance_id, user_id, seq)){clustered};

        CREATE TABLE visits (
            brand_id TEXT NOT NULL, token_hash {bytes} NOT NULL, instance_id TEXT NOT NULL, user_id {bytes} NOT NULL,
            identifier_kind TEXT NOT NULL, identifier_value TEXT NOT NULL, expires_at BIGINT NOT NULL,
            PRIMARY KEY (brand_id, token_hash)){clustered};
        CREATE INDEX visits_expiring ON visits (brand_id, expires_at);

        CREATE TABLE resume_secrets (
            brand_id TEXT NOT NULL, secret_hash {bytes} NOT NULL, instance_id TEXT NOT NULL, user_id {bytes} NOT NULL,
            expires_at BIGINT NOT NULL, PRIMARY KEY (brand_id, secret_hash)){clustered};
        CREATE INDEX resume_secrets_expiring ON resume_secrets (brand_id, expires_at);

        CREATE INDEX sessions_of_conversation ON sessions (brand_id, instance_id, user_id, session_id);
        """

    /// Conversations that people took over: one open at a time for a customer at an instance, what was said in them, and what a ticket
    /// system told us, once each.
    private static let handovers = """
        CREATE TABLE handovers (
            brand_id TEXT NOT NULL, handover_id {bytes} NOT NULL, instance_id TEXT NOT NULL, user_id {bytes} NOT NULL,
            session_id {bytes} NOT NULL, reason TEXT NOT NULL, priority TEXT NOT NULL, way TEXT NOT NULL, state TEXT NOT NULL,
            mutes BIGINT NOT NULL, payload TEXT NOT NULL, results TEXT NOT NULL, desk TEXT, desk_state TEXT NOT NULL, ticket_id TEXT,
            ticket_url TEXT, poll_cursor TEXT, poll_at BIGINT, poll_failures BIGINT NOT NULL DEFAULT 0, created_at BIGINT NOT NULL,
            escalated_at BIGINT, answered_at BIGINT, answered_by TEXT, closed_at BIGINT, closed_reason TEXT, looped_at BIGINT,
            unreachable_at BIGINT, unreachable_told BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (brand_id, handover_id)){clustered};
        CREATE UNIQUE INDEX handovers_open ON handovers (brand_id, instance_id, user_id) WHERE state = 'open';
        CREATE UNIQUE INDEX handovers_ticket ON handovers (brand_id, desk, ticket_id) WHERE ticket_id IS NOT NULL;
        CREATE INDEX handovers_polled ON handovers (brand_id, poll_at) WHERE poll_at IS NOT NULL;
        CREATE INDEX handovers_by_state ON handovers (brand_id, state, handover_id);

        CREATE TABLE handover_entries (
            brand_id TEXT NOT NULL, handover_id {bytes} NOT NULL, entry_id {bytes} NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL,
            attachments TEXT NOT NULL, internal BIGINT NOT NULL, at BIGINT NOT NULL, state TEXT NOT NULL,
            PRIMARY KEY (brand_id, handover_id, entry_id)){clustered};

        CREATE TABLE desk_events (
            brand_id TEXT NOT NULL, desk TEXT NOT NULL, ticket_id TEXT NOT NULL, event_id TEXT NOT NULL, handover_id {bytes} NOT NULL,
            kind TEXT NOT NULL, text TEXT NOT NULL, author TEXT, automatic BIGINT NOT NULL, at BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (brand_id, desk, ticket_id, event_id)){clustered};
        CREATE INDEX desk_events_of_handover ON desk_events (brand_id, handover_id, recorded_at);
        """

    /// What models used, a row a call with the price of its moment, and notes on sessions. Notes stand apart from a session's state, whose
    /// version is compared and set, so that no turn ever collides with the writing of a summary.
    private static let usage = """
        CREATE TABLE usage (
            brand_id TEXT NOT NULL, usage_id {bytes} NOT NULL, instance_id TEXT NOT NULL, session_id {bytes}, user_id {bytes},
            function TEXT NOT NULL, model TEXT NOT NULL, input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL,
            is_estimated BIGINT NOT NULL, planned_tokens BIGINT, price TEXT, currency TEXT, cost_nanos BIGINT, failure TEXT,
            at BIGINT NOT NULL, duration_ms BIGINT NOT NULL, PRIMARY KEY (brand_id, usage_id)){clustered};
        CREATE INDEX usage_in_time ON usage (brand_id, at);
        CREATE INDEX usage_of_session ON usage (brand_id, session_id) WHERE session_id IS NOT NULL;

        CREATE TABLE session_notes (
            brand_id TEXT NOT NULL, session_id {bytes} NOT NULL, summary TEXT NOT NULL, topics TEXT NOT NULL, source TEXT NOT NULL,
            first_message_at BIGINT, last_message_at BIGINT, last_action_at BIGINT, last_message_id {bytes} NOT NULL,
            made_at BIGINT NOT NULL, PRIMARY KEY (brand_id, session_id)){clustered};
        """
}
