#include <sqlite3.h>

// SQLITE_TRANSIENT and SQLITE_STATIC are casts of integers to function pointers, which Swift does not import.
static inline int sb_bind_text(sqlite3_stmt *s, int i, const char *p, int n) { return sqlite3_bind_text(s, i, p, n, SQLITE_TRANSIENT); }
static inline int sb_bind_blob(sqlite3_stmt *s, int i, const void *p, int n) { return sqlite3_bind_blob(s, i, p, n, SQLITE_TRANSIENT); }

// Variadic, which Swift cannot call. Without the statistics every allocation spares a lock. Works only before the first connection.
static inline int sb_without_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

// The log's own methods, but that a sync may be noted instead of done. `methods` comes first: that is how a file finds its log.
struct sb_log {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *own;
    int is_deferring;
    int was_asked;
};

static inline int sb_log_sync(sqlite3_file *file, int flags) {
    struct sb_log *log = (struct sb_log *)file->pMethods;
    if (!log->is_deferring) return log->own->xSync(file, flags);
    log->was_asked = 1;
    return SQLITE_OK;
}

// Puts `log` between SQLite and the write-ahead log of a connection that has one. It must live until the connection is closed.
static inline int sb_take_over_log(sqlite3 *connection, struct sb_log *log) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (!file || !file->pMethods) return SQLITE_CANTOPEN;
    log->own = file->pMethods;
    log->methods = *file->pMethods;
    log->methods.xSync = sb_log_sync;
    log->is_deferring = log->was_asked = 0;
    file->pMethods = &log->methods;
    return SQLITE_OK;
}
