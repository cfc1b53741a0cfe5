#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

// SQLITE_TRANSIENT and SQLITE_STATIC are casts of integers to function pointers, which Swift does not import.
static inline int sb_bind_text(sqlite3_stmt *s, int i, const char *p, int n) { return sqlite3_bind_text(s, i, p, n, SQLITE_TRANSIENT); }
static inline int sb_bind_blob(sqlite3_stmt *s, int i, const void *p, int n) { return sqlite3_bind_blob(s, i, p, n, SQLITE_TRANSIENT); }

// Variadic, which Swift cannot call. Without the statistics every allocation spares a lock. Works only before the first connection.
static inline int sb_without_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

// The log's own methods, but that pieces written one after the other reach the file together: SQLite writes two for every page. They are
// there before anybody can look for them, because with `synchronous=FULL` a commit syncs before it shows itself to readers. `methods`
// comes first: that is how a file finds its log.
struct sb_log {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *own;
    char *gathered;
    int count;
    sqlite3_int64 start;
};

enum { sb_gathered_at_most = 1 << 20, sb_written_at_once = 1 << 16 };

static inline struct sb_log *sb_log_of(sqlite3_file *file) { return (struct sb_log *)file->pMethods; }

static inline int sb_log_pass_on(sqlite3_file *file) {
    struct sb_log *log = sb_log_of(file);
    if (log->count == 0) return SQLITE_OK;
    int count = log->count;
    int code = SQLITE_OK;
    log->count = 0;
    // One write of SQLite's own holds less than 128 KiB.
    for (int done = 0; done < count && code == SQLITE_OK; done += sb_written_at_once) {
        int rest = count - done;
        code = log->own->xWrite(
            file, log->gathered + done, rest < sb_written_at_once ? rest : sb_written_at_once, log->start + done);
    }
    return code;
}

static inline int sb_log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 place) {
    struct sb_log *log = sb_log_of(file);
    if (log->count > 0 && (place != log->start + log->count || count > sb_gathered_at_most - log->count)) {
        int code = sb_log_pass_on(file);
        if (code != SQLITE_OK) return code;
    }
    if (count > sb_gathered_at_most) return log->own->xWrite(file, bytes, count, place);
    if (log->count == 0) log->start = place;
    memcpy(log->gathered + log->count, bytes, (size_t)count);
    log->count += count;
    return SQLITE_OK;
}

static inline int sb_log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 place) {
    int code = sb_log_pass_on(file);
    return code == SQLITE_OK ? sb_log_of(file)->own->xRead(file, bytes, count, place) : code;
}

static inline int sb_log_size(sqlite3_file *file, sqlite3_int64 *size) {
    int code = sb_log_pass_on(file);
    return code == SQLITE_OK ? sb_log_of(file)->own->xFileSize(file, size) : code;
}

static inline int sb_log_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int code = sb_log_pass_on(file);
    return code == SQLITE_OK ? sb_log_of(file)->own->xTruncate(file, size) : code;
}

static inline int sb_log_sync(sqlite3_file *file, int flags) {
    int code = sb_log_pass_on(file);
    return code == SQLITE_OK ? sb_log_of(file)->own->xSync(file, flags) : code;
}

static inline int sb_log_close(sqlite3_file *file) {
    struct sb_log *log = sb_log_of(file);
    int code = sb_log_pass_on(file);
    int closed = log->own->xClose(file);
    return code == SQLITE_OK ? closed : code;
}

// Puts `log`, which is all zero, between SQLite and the write-ahead log of a connection that has one. It must live until the connection
// is closed; `sb_release_log` comes after that.
static inline int sb_take_over_log(sqlite3 *connection, struct sb_log *log) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (!file || !file->pMethods) return SQLITE_CANTOPEN;
    log->gathered = (char *)malloc(sb_gathered_at_most);
    if (!log->gathered) return SQLITE_NOMEM;
    log->own = file->pMethods;
    log->methods = *file->pMethods;
    log->methods.xWrite = sb_log_write;
    log->methods.xRead = sb_log_read;
    log->methods.xFileSize = sb_log_size;
    log->methods.xTruncate = sb_log_truncate;
    log->methods.xSync = sb_log_sync;
    log->methods.xClose = sb_log_close;
    file->pMethods = &log->methods;
    return SQLITE_OK;
}

static inline void sb_release_log(struct sb_log *log) { free(log->gathered); }
