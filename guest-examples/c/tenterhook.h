/* The interface of a hook in C: its event, parameters, log lines and verdict.
 *
 * One header and nothing to link. Nothing is allocated: every function writes into the
 * caller's buffer and returns whether it was large enough. */
#ifndef TENTERHOOK_H
#define TENTERHOOK_H

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of one of the hook point's parameters by its documented name, such as
 * "sizeBytes"; NULL if the event does not have it. Values that are not text are JSON. */
static inline const char *hook_param(const char *name) {
    char variable[128] = "HOOK_PARAM_";
    size_t end = strlen(variable);
    bool lower_before = false;
    for (; *name != '\0' && end + 2 < sizeof variable; name++) {
        if (isupper((unsigned char)*name) && lower_before)
            variable[end++] = '_';
        lower_before = islower((unsigned char)*name) || isdigit((unsigned char)*name);
        variable[end++] = isalnum((unsigned char)*name) ? toupper((unsigned char)*name) : '_';
    }
    variable[end] = '\0';
    return *name == '\0' ? getenv(variable) : NULL;
}

/* Reads the whole event, a JSON object, into `text`; false if it is longer. */
static inline bool hook_event(char *text, size_t size) {
    FILE *file = fopen("/event.json", "r");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, size, file);
    fclose(file);
    if (length == size)
        return false;
    text[length] = '\0';
    return true;
}

/* ---- Reading JSON: looks up one member at a time, takes no memory. ---- */

static inline const char *hook__past_space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/* The position after the text that begins at the quote `at`; NULL if it never ends. */
static inline const char *hook__past_text(const char *at) {
    for (at++; *at != '\0' && *at != '"'; at++)
        if (*at == '\\' && *++at == '\0')
            return NULL;
    return *at == '"' ? at + 1 : NULL;
}

/* The position after the value at `at`; NULL if there is none. */
static inline const char *hook__past_value(const char *at) {
    size_t depth = 0;
    do {
        at = hook__past_space(at);
        if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0)
                return NULL;
            depth--;
            at++;
        } else if (*at == '"') {
            at = hook__past_text(at);
            if (at == NULL)
                return NULL;
        } else if (depth > 0 && (*at == ',' || *at == ':')) {
            at++;
        } else {
            size_t length = strcspn(at, " \t\r\n,:{}[]\"");
            if (length == 0)
                return NULL;
            at += length;
        }
    } while (depth > 0);
    return at;
}

/* The value of a member by its path, such as "data.change.item"; NULL if it is
 * absent. `json` must end with a zero. */
static inline const char *hook_member(const char *json, const char *path) {
    while (json != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        const char *at = hook__past_space(json);
        json = NULL;
        if (*at != '{')
            return NULL;
        for (;;) {
            const char *name = hook__past_space(at + 1);
            const char *end = *name == '"' ? hook__past_text(name) : NULL;
            if (end == NULL)
                return NULL;
            at = hook__past_space(end);
            if (*at != ':')
                return NULL;
            if ((size_t)(end - name) == length + 2 && memcmp(name + 1, path, length) == 0) {
                json = hook__past_space(at + 1);
                break;
            }
            at = hook__past_value(at + 1);
            if (at == NULL)
                return NULL;
            at = hook__past_space(at);
            if (*at != ',')
                return NULL;
        }
        path += length;
        path += *path == '.';
    }
    return json;
}

/* Writes one UTF-8 character; answers its length. */
static inline size_t hook__utf8(uint32_t code, char out[4]) {
    if (code < 0x80)
        return out[0] = (char)code, 1;
    if (code < 0x800)
        return out[0] = (char)(0xC0 | code >> 6), out[1] = (char)(0x80 | (code & 63)), 2;
    if (code < 0x10000)
        return out[0] = (char)(0xE0 | code >> 12), out[1] = (char)(0x80 | (code >> 6 & 63)),
               out[2] = (char)(0x80 | (code & 63)), 3;
    return out[0] = (char)(0xF0 | code >> 18), out[1] = (char)(0x80 | (code >> 12 & 63)),
           out[2] = (char)(0x80 | (code >> 6 & 63)), out[3] = (char)(0x80 | (code & 63)), 4;
}

/* Reads `XXXX` of an escape `\uXXXX`; false if these are no such digits. */
static inline bool hook__unit(const char *at, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)at[i]))
            return false;
        int digit = tolower((unsigned char)at[i]);
        *unit = *unit << 4 | (uint32_t)(isdigit(digit) ? digit - '0' : digit - 'a' + 10);
    }
    return true;
}

/* Copies a value as a person would write it: text without its quotes and escapes, a
 * number or a word as it stands. False if there is no such value or no room. */
static inline bool hook_text(const char *value, char *out, size_t size) {
    size_t end = 0;
    if (value == NULL || *value == '{' || *value == '[')
        return false;
    if (*value != '"') {
        end = strcspn(value, " \t\r\n,:{}[]\"");
        if (end == 0 || end >= size)
            return false;
        memcpy(out, value, end);
        out[end] = '\0';
        return true;
    }
    for (value++; *value != '"'; value++) {
        uint32_t unit = (unsigned char)*value, low;
        char bytes[4] = {*value};
        size_t length = 1;
        if (unit == '\0')
            return false;
        if (unit == '\\') {
            static const char names[] = "bfnrt\"\\/", meant[] = "\b\f\n\r\t\"\\/";
            const char *name = *++value == '\0' ? NULL : strchr(names, *value);
            if (name != NULL) {
                bytes[0] = meant[name - names];
            } else if (*value == 'u' && hook__unit(value + 1, &unit) && unit != 0) {
                value += 4;
                if (unit >= 0xD800 && unit < 0xDC00 && value[1] == '\\' && value[2] == 'u' &&
                    hook__unit(value + 3, &low) && low >= 0xDC00 && low < 0xE000) {
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                    value += 6;
                }
                if (unit >= 0xD800 && unit < 0xE000)
                    unit = 0xFFFD; /* half a character */
                length = hook__utf8(unit, bytes);
            } else {
                return false;
            }
        }
        if (end + length >= size)
            return false;
        memcpy(out + end, bytes, length);
        end += length;
    }
    out[end] = '\0';
    return true;
}

/* ---- Answering. ---- */

/* Longest message or reason, in bytes; the rest of a longer one is cut off. */
#define HOOK__SAID 512

/* Writes text as JSON. */
static inline void hook__quote(const char *text, char out[6 * HOOK__SAID + 3]) {
    char *end = out;
    *end++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            end += sprintf(end, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            end += sprintf(end, "\\u%04x", (unsigned char)*text);
        else
            *end++ = *text;
    }
    *end++ = '"';
    *end = '\0';
}

/* Formats a message; one that is too long ends after a whole character. */
static inline void hook__format(char out[HOOK__SAID], const char *format, va_list rest) {
    if (vsnprintf(out, HOOK__SAID, format, rest) < HOOK__SAID)
        return;
    size_t end = HOOK__SAID - 1;
    while (end > 0 && ((unsigned char)out[end - 1] & 0xC0) == 0x80)
        end--;
    if (end > 0 && (unsigned char)out[end - 1] >= 0xC0)
        end--;
    out[end] = '\0';
}

static inline int hook__answer(const char *verdict) {
    FILE *file = fopen("/verdict.json", "w");
    if (file == NULL)
        return 1;
    fputs(verdict, file);
    return fclose(file) == 0 ? 0 : 1;
}

/* Says something in the execution's log. `level`: trace, debug, info, warn, error. */
__attribute__((format(printf, 2, 3))) static inline void hook_log(const char *level,
                                                                  const char *format, ...) {
    char said[HOOK__SAID], message[6 * HOOK__SAID + 3];
    va_list rest;
    va_start(rest, format);
    hook__format(said, format, rest);
    va_end(rest);
    hook__quote(said, message);
    fprintf(stderr, "{\"level\":\"%s\",\"message\":%s}\n", level, message);
}

/* Lets the event go on. Answers the status for `main` to leave with. */
static inline int hook_allow(void) {
    return hook__answer("{\"allow\":true}");
}

/* Refuses what the event announces, for a reason. Answers the status for `main` to
 * leave with: 0, since a hook that says no has done its work. */
__attribute__((format(printf, 1, 2))) static inline int hook_deny(const char *format, ...) {
    char said[HOOK__SAID], reason[6 * HOOK__SAID + 3], verdict[6 * HOOK__SAID + 64];
    va_list rest;
    va_start(rest, format);
    hook__format(said, format, rest);
    va_end(rest);
    hook__quote(said, reason);
    snprintf(verdict, sizeof verdict, "{\"allow\":false,\"reason\":%s}", reason);
    return hook__answer(verdict);
}

#endif
