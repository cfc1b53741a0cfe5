#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A parsed document, owned by the caller until `sj_document_free`.
typedef struct sj_document sj_document;

/// A place in a document's tape; valid as long as its document. The same two words as simdjson's own element.
typedef struct {
    uintptr_t document;
    size_t index;
} sj_element;

typedef enum {
    SJ_OK = 0,
    SJ_MALFORMED,
    SJ_TOO_DEEP,
    SJ_TOO_LARGE,
    SJ_NUMBER,
    SJ_NO_MEMORY,
} sj_error;

typedef enum {
    SJ_NULL = 0,
    SJ_BOOL,
    SJ_INT64,
    SJ_UINT64,
    SJ_DOUBLE,
    SJ_STRING,
    SJ_ARRAY,
    SJ_OBJECT,
} sj_kind;

/// Parses with this thread's parser. On failure answers NULL, sets `error`, and points `message` at a constant text.
sj_document *sj_parse(const uint8_t *bytes, size_t count, size_t max_depth, sj_error *error, const char **message);
void sj_document_free(sj_document *document);
sj_element sj_root(const sj_document *document);

sj_kind sj_type(sj_element element);
bool sj_bool(sj_element element);
int64_t sj_int64(sj_element element);
uint64_t sj_uint64(sj_element element);
double sj_double(sj_element element);
/// Not terminated: the text may hold zero bytes. Lives as long as the document.
const char *sj_string(sj_element element, size_t *count);

/// The first member of that name; false when there is none or the element is no object.
bool sj_member(sj_element object, const uint8_t *key, size_t count, sj_element *value);
/// The item at that place; false when there is none or the element is no array.
bool sj_item(sj_element array, size_t index, sj_element *value);

/// Where to begin and end when walking an array or an object; false for anything else.
bool sj_children(sj_element container, sj_element *begin, sj_element *end);
/// The item under an array's cursor is the cursor itself; this moves it on.
sj_element sj_next_item(sj_element cursor);
/// Key and value under an object's cursor, and the cursor of the next member.
sj_element sj_next_member(sj_element cursor, const char **key, size_t *count, sj_element *value);

/// Minified JSON text; freed with `sj_text_free`. NULL when there is no memory.
char *sj_minified(sj_element element, size_t *count);
void sj_text_free(char *text);

/// Whether the bytes hold `needle` anywhere.
bool sj_contains(const uint8_t *bytes, size_t count, const char *needle);

#ifdef __cplusplus
}
#endif
