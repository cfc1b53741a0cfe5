#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// A C face of RE2, because Swift calls C only. Text goes in as pointer and length, so U+0000 is a character like any other.
// Compiled patterns and sets are immutable: any number of threads may match with one of them at once.

typedef struct cre2_pattern cre2_pattern;
typedef struct cre2_set cre2_set;

// A span of bytes of the text; start is -1 where a group took no part.
typedef struct {
    ptrdiff_t start;
    ptrdiff_t end;
} cre2_span;

// NULL when the pattern does not compile; then `error` holds the reason (cut to `error_size`, always terminated).
cre2_pattern *cre2_pattern_new(const char *pattern, size_t length, bool case_sensitive, char *error, size_t error_size);
void cre2_pattern_free(cre2_pattern *pattern);
// How many groups, the whole match not counted.
int cre2_pattern_groups(const cre2_pattern *pattern);
// Searches from byte `from`; fills up to `span_count` spans, the whole match first. `full` asks for a match of all the text.
bool cre2_pattern_match(
    const cre2_pattern *pattern, const char *text, size_t length, size_t from, bool full, cre2_span *spans, int span_count);

cre2_set *cre2_set_new(bool case_sensitive);
// Index of the pattern, counted from 0, or -1 with the reason in `error`.
int cre2_set_add(cre2_set *set, const char *pattern, size_t length, char *error, size_t error_size);
// False when the set is too large to compile. Must succeed before matching.
bool cre2_set_compile(cre2_set *set);
void cre2_set_free(cre2_set *set);
// Writes up to `capacity` indexes of matching patterns, in no order, and returns how many match; -1 when memory ran out.
int cre2_set_match(const cre2_set *set, const char *text, size_t length, int *indexes, int capacity);

#ifdef __cplusplus
}
#endif
