/* Checks a change of the CRUSH map before it is made.
 *
 * Event:      PreCrushMapChange
 * Parameters: change, an object {"operation", "item", "to", "weight"}
 * Settings:   FROZEN, in the hook's own environment: buckets that nothing may move
 *             into or out of, with spaces between, such as a rack that is being
 *             rewired; MAX_WEIGHT, the largest weight of an item (default: 100).
 * Leaves:     a verdict, with the reason when the answer is no.
 *
 * Data moves on every change of this map, so what this hook does not understand it
 * forbids: give it the failure policy "closed". */
#include <math.h>

#include "tenterhook.h"

/* Longest name of a bucket, with the zero at its end. */
#define NAME_MAX_BYTES 128

/* Whether `name` is one of the words of `list`. */
static bool listed(const char *name, const char *list) {
    size_t length = strlen(name);
    while (list != NULL && *list != '\0') {
        size_t word = strcspn(list, " ");
        if (word == length && word > 0 && memcmp(list, name, word) == 0)
            return true;
        list += word + strspn(list + word, " ");
    }
    return false;
}

/* Reads a number that is nothing but a number; false for anything else. */
static bool number(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

/* Whether an item is a daemon, such as osd.12. Everything else holds others. */
static bool is_daemon(const char *item) {
    return strncmp(item, "osd.", 4) == 0 && item[4] != '\0' &&
           strspn(item + 4, "0123456789") == strlen(item + 4);
}

int main(void) {
    const char *change = hook_param("change");
    char operation[32], item[NAME_MAX_BYTES], to[NAME_MAX_BYTES] = "", text[32];
    if (change == NULL || !hook_text(hook_member(change, "operation"), operation, sizeof operation) ||
        !hook_text(hook_member(change, "item"), item, sizeof item))
        return hook_deny("the event does not say what is to be done to which item");

    const char *target = hook_member(change, "to");
    if (target != NULL && !hook_text(target, to, sizeof to))
        return hook_deny("the destination of %s is no name", item);

    const char *frozen = getenv("FROZEN");
    if (listed(item, frozen))
        return hook_deny("%s is frozen", item);
    if (listed(to, frozen))
        return hook_deny("%s may not go to %s, which is frozen", item, to);

    if (strcmp(operation, "remove") == 0) {
        if (!is_daemon(item))
            return hook_deny("%s may hold others: remove those first", item);
    } else if (strcmp(operation, "move") == 0 || strcmp(operation, "add") == 0) {
        if (*to == '\0')
            return hook_deny("the event does not say where %s is to go", item);
    } else if (strcmp(operation, "reweight") == 0) {
        const char *setting = getenv("MAX_WEIGHT");
        double weight, most = 100;
        if (setting != NULL && !number(setting, &most)) {
            fprintf(stderr, "MAX_WEIGHT is no number: %s\n", setting);
            return 2; /* the hook's own fault: no verdict, but a failure */
        }
        if (!hook_text(hook_member(change, "weight"), text, sizeof text) || !number(text, &weight))
            return hook_deny("the event does not say the new weight of %s", item);
        if (weight < 0 || weight > most)
            return hook_deny("%s may weigh 0 to %g, not %g", item, most, weight);
    } else {
        return hook_deny("no rule allows to %s %s", operation, item);
    }

    hook_log("info", "%s %s may go on", operation, item);
    return hook_allow();
}
