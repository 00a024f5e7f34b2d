/* Reads scalars of JSON strictly, as far as a writer of JSON would have written them so: then the bytes may go on as they stand. */
#include "cells.h"

#include <string.h>

enum { MOST_DIGITS = 18 };  /* of a number that surely fits 64 bits */

static bool within(unsigned char byte, unsigned char first, unsigned char last) {
    return byte >= first && byte <= last;
}

/* The length of the UTF-8 sequence of more than one byte that begins at `at`, 0 where it is none (RFC 3629). */
static size_t sequence(const unsigned char *at, const unsigned char *end) {
    size_t size = within(*at, 0xC2, 0xDF) ? 2 : within(*at, 0xE0, 0xEF) ? 3 : within(*at, 0xF0, 0xF4) ? 4 : 0;
    if (!size || (size_t)(end - at) < size)
        return 0;
    unsigned char low = *at == 0xE0 ? 0xA0 : *at == 0xF0 ? 0x90 : 0x80, high = *at == 0xED ? 0x9F : *at == 0xF4 ? 0x8F : 0xBF;
    if (!within(at[1], low, high))
        return 0;
    for (size_t i = 2; i < size; i++)
        if (!within(at[i], 0x80, 0xBF))
            return 0;
    return size;
}

/* Eight bytes of which none is a control, a quote, a backslash or above ASCII. */
static bool eight_plain(const char *at) {
    const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
    uint64_t word;
    memcpy(&word, at, 8);
    uint64_t quote = word ^ 0x22 * ones, slash = word ^ 0x5C * ones;
    return !(((word - 0x20 * ones) | (quote - ones) | (slash - ones) | word) & tops);
}

static const char *text_read(const char *at, const char *end, Cell *found) {
    const char *next = at + 1;
    for (;;) {
        while (end - next >= 8 && eight_plain(next))
            next += 8;
        if (next >= end)
            return NULL;
        unsigned char byte = (unsigned char)*next;
        if (byte == '"')
            break;
        if (byte == '\\') {
            if (end - next < 2 || !next[1] || !strchr("\"\\bfnrt", next[1]))
                return NULL;
            next += 2;
        } else if (byte < 0x20) {
            return NULL;
        } else if (byte < 0x80) {
            next++;
        } else {
            size_t size = sequence((const unsigned char *)next, (const unsigned char *)end);
            if (!size)
                return NULL;
            next += size;
            found->ascii = false;
        }
    }
    found->kind = TEXT;
    found->span = (Span){at, (size_t)(next + 1 - at)};
    return next + 1;
}

static const char *number_read(const char *at, const char *end, Cell *found) {
    const char *first = at + (*at == '-'), *next = first;
    while (next < end && within((unsigned char)*next, '0', '9'))
        next++;
    size_t digits = (size_t)(next - first);
    bool whole = digits && digits <= MOST_DIGITS && (*first != '0' || (digits == 1 && first == at));
    found->kind = WHOLE;
    if (next < end && (*next == '.' || *next == 'e' || *next == 'E')) {
        while (next < end && (within((unsigned char)*next, '0', '9') || memchr("+-.eE", *next, 5)))
            next++;
        found->kind = REAL;
    } else if (!whole) {
        return NULL;
    }
    found->span = (Span){at, (size_t)(next - at)};
    return next;
}

static const char *word_read(const char *at, const char *end, Span word, int kind, Cell *found) {
    if ((size_t)(end - at) < word.size || memcmp(at, word.at, word.size))
        return NULL;
    found->kind = (uint8_t)kind;
    found->span = (Span){at, word.size};
    return at + word.size;
}

const char *cell_read(const char *at, const char *end, Cell *found) {
    found->ascii = true;
    if (at >= end)
        return NULL;
    switch (*at) {
    case '"': return text_read(at, end, found);
    case 'n': return word_read(at, end, SPAN("null"), NOTHING, found);
    case 't': return word_read(at, end, SPAN("true"), TRUTH, found);
    case 'f': return word_read(at, end, SPAN("false"), TRUTH, found);
    default: return *at == '-' || within((unsigned char)*at, '0', '9') ? number_read(at, end, found) : NULL;
    }
}

size_t cell_text(Span span, char *out) {
    const char *at = span.at + 1, *end = span.at + span.size - 1;
    char *next = out;
    while (at < end) {
        if (*at != '\\') {
            *next++ = *at++;
            continue;
        }
        switch (at[1]) {
        case 'b': *next++ = '\b'; break;
        case 'f': *next++ = '\f'; break;
        case 'n': *next++ = '\n'; break;
        case 'r': *next++ = '\r'; break;
        case 't': *next++ = '\t'; break;
        default: *next++ = at[1];
        }
        at += 2;
    }
    return (size_t)(next - out);
}

int64_t cell_whole(Span span) {
    bool minus = *span.at == '-';
    int64_t value = 0;
    for (size_t i = minus; i < span.size; i++)
        value = 10 * value + (span.at[i] - '0');
    return minus ? -value : value;
}

bool span_is(Span one, const char *other, size_t size) {
    return one.size == size && !memcmp(one.at, other, size);
}

bool cell_time(Span span, char out[28]) {
    const char *text = span.at + 1;
    size_t size = span.size - 2;
    if (span.size < 22 || size > 30 || text[10] != 'T' || text[16] != ':' || text[size - 1] != 'Z'
        || !within((unsigned char)text[17], '0', '5') || !within((unsigned char)text[18], '0', '9'))
        return false;
    size_t digits = size == 20 ? 0 : size - 21;
    if (size != 20 && (text[19] != '.' || !digits))
        return false;
    for (size_t i = 0; i < digits; i++)
        if (!within((unsigned char)text[20 + i], '0', '9'))
            return false;
    memcpy(out, text, 19);
    memcpy(out + 19, ".0000000Z", 9);
    memcpy(out + 20, text + 20, digits < 7 ? digits : 7);
    return true;
}
