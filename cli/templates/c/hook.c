/* Forbids {{event}} when {{member}} is on the list PROTECTED. */
#include "tenterhook.h"

/* Whether `list`, words with spaces between, has `word`. */
static bool has_word(const char *list, const char *word) {
    for (list += strspn(list, " "); *list != '\0'; list += strspn(list, " ")) {
        size_t length = strcspn(list, " ");
        if (length == strlen(word) && memcmp(list, word, length) == 0)
            return true;
        list += length;
    }
    return false;
}

int main(void) {
    const char *value = hook_param("{{member}}");
    const char *list = getenv("PROTECTED");
    if (value == NULL) {
        hook_log("error", "the event does not tell {{member}}");
        return 1;
    }
    if (list != NULL && has_word(list, value))
        return hook_deny("{{member}} %s is protected", value);
    return hook_allow();
}
