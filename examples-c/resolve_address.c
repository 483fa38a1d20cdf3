/* Looks host names up, by waiting and by being told.
 *
 *   resolve_address [HOST...]     default: localhost
 *
 * First every name is asked for at once: the resolver looks several up at a time and tells a callback of each, with a
 * time-out of its own. Then each is asked for again by a call that waits: by now it is in the cache, so no time is
 * given to that. An IP address is given back as it is; nothing is looked up for it.
 */
#include <network_system.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { timeout_ms = 5000 };

/* How many answers are still to come. The callbacks run on the resolver's thread, main waits on its own. */
struct answers {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int awaited;
    int failed;
};

/* One look-up: given to its callback, which runs exactly once. */
struct question {
    const char* host;
    struct answers* answers;
};

static netsys_str str(const char* text) {
    netsys_str view = {text, strlen(text)};
    return view;
}

static void print_failure(const char* what, netsys_status status) {
    netsys_error_info info = {.struct_size = sizeof info};
    const char* detail = netsys_status_message(status);

    if (netsys_last_error(&info) == NETSYS_OK && info.status == status && info.message[0] != '\0') {
        detail = info.message;
    }
    fprintf(stderr, "resolve_address: %s: %s (%s)\n", what, detail, netsys_status_name(status));
}

static void on_resolved(void* userdata, const netsys_resolution* resolution) {
    const struct question* question = userdata;
    struct answers* answers = question->answers;

    printf("%s:", question->host);
    for (size_t i = 0; i < resolution->count; i++) {
        printf(" %.*s", (int)resolution->addresses[i].len, resolution->addresses[i].data);
    }
    if (resolution->status != NETSYS_OK) {
        printf(" %s: %.*s", netsys_status_name(resolution->status), (int)resolution->message.len,
               resolution->message.data);
    }
    putchar('\n');

    pthread_mutex_lock(&answers->lock);
    answers->awaited--;
    answers->failed += resolution->status != NETSYS_OK;
    pthread_cond_signal(&answers->changed);
    pthread_mutex_unlock(&answers->lock);
}

static void count_address(void* userdata, netsys_str address) {
    (void)address;
    ++*(size_t*)userdata;
}

/* Asks for all at once. Returns how many had no address. */
static int ask_all(netsys_resolver resolver, struct question* questions, int count, struct answers* answers) {
    answers->awaited = count;
    for (int i = 0; i < count; i++) {
        questions[i].answers = answers;
        const netsys_status status = netsys_resolver_resolve_async(resolver, str(questions[i].host), NETSYS_FAMILY_ANY,
                                                                   timeout_ms, on_resolved, &questions[i]);
        if (status != NETSYS_OK) { /* on_resolved is not called */
            print_failure(questions[i].host, status);
            pthread_mutex_lock(&answers->lock);
            answers->awaited--;
            answers->failed++;
            pthread_mutex_unlock(&answers->lock);
        }
    }
    pthread_mutex_lock(&answers->lock);
    while (answers->awaited > 0) {
        pthread_cond_wait(&answers->changed, &answers->lock);
    }
    pthread_mutex_unlock(&answers->lock);
    return answers->failed;
}

int main(int argc, char** argv) {
    char* localhost[] = {"localhost"};
    char** hosts = argc > 1 ? argv + 1 : localhost;
    const int count = argc > 1 ? argc - 1 : 1;
    /* Until the resolver has been destroyed, a callback may be about to leave it. */
    struct answers answers = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    struct question* questions = calloc((size_t)count, sizeof *questions);
    netsys_resolver resolver;
    netsys_status status = netsys_resolver_create(NULL, &resolver);

    if (questions == NULL || status != NETSYS_OK) {
        print_failure("create a resolver", questions == NULL ? NETSYS_ERR_OUT_OF_MEMORY : status);
        free(questions);
        return EXIT_FAILURE;
    }
    for (int i = 0; i < count; i++) {
        questions[i].host = hosts[i];
    }
    int failed = ask_all(resolver, questions, count, &answers);

    size_t addresses = 0;
    for (int i = 0; i < count && failed == 0; i++) {
        status = netsys_resolver_resolve(resolver, str(hosts[i]), NETSYS_FAMILY_ANY, 0, count_address, &addresses);
        if (status != NETSYS_OK) {
            print_failure(hosts[i], status);
            failed++;
        }
    }
    size_t cached = 0;
    netsys_resolver_cached(resolver, &cached);
    printf("%d hosts, %zu addresses, %zu names cached\n", count, addresses, cached);

    netsys_resolver_destroy(resolver);
    free(questions);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
