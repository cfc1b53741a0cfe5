#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// A C face of libphonenumber, because Swift calls C only.

// E.164 has at most 15 digits; with the plus sign and the terminator this is ample.
#define CPHONE_E164_SIZE 24

typedef struct {
    // Span in bytes of the text.
    size_t start;
    size_t end;
    char e164[CPHONE_E164_SIZE];
} cphone_match;

// Writes the number as E.164; false when it is no valid number. `region` is an ISO 3166-1 code such as "US".
bool cphone_parse(const char *text, size_t length, const char *region, char *e164);
// Finds valid numbers inside a text; writes up to `capacity` and returns how many were written.
int cphone_find(const char *text, size_t length, const char *region, cphone_match *matches, int capacity);

#ifdef __cplusplus
}
#endif
