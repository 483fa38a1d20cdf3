/* Opens the library, moves a message, and closes it again, 100 times: it stays loaded (-z nodelete), since threads may
 * still be in its code, and no thread or descriptor is left over. Not linked against the library. */
#include <dlfcn.h>

#include "hazard.h"

enum { ROUNDS = 100 };

static struct {
    netsys_status (*context_create)(const netsys_context_config* config, netsys_context* out);
    netsys_status (*context_shutdown)(netsys_context context, uint32_t drain_ms);
    netsys_status (*server_start)(netsys_context context, const netsys_server_config* config,
                                  const netsys_callbacks* callbacks, netsys_server* out);
    netsys_status (*server_port)(netsys_server server, uint16_t* out);
    netsys_status (*client_start)(netsys_context context, const netsys_client_config* config,
                                  const netsys_callbacks* callbacks, netsys_client* out);
    netsys_status (*session_send)(netsys_session session, uint32_t kind, const void* data, size_t len);
} api;

/* netsys_status_name is what hazard.h's checks use; here it can only come from the opened library. */
const char* netsys_status_name(netsys_status status) {
    static char text[16];
    snprintf(text, sizeof text, "%d", (int)status);
    return text;
}

static void load(void* library, const char* name, void* function) {
    void* symbol = dlsym(library, name);
    REQUIRE(symbol != NULL);
    memcpy(function, &symbol, sizeof symbol); /* ISO C has no cast from an object to a function pointer */
}

static void send_hello(void* userdata, netsys_session session) {
    (void)userdata;
    api.session_send(session, NETSYS_MESSAGE_TEXT, "hello", 5);
}

static void use_library(void) {
    hazard_counter received = HAZARD_COUNTER_INIT;
    netsys_callbacks server_callbacks = hazard_callbacks(&received);
    netsys_callbacks client_callbacks = hazard_callbacks(NULL);
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_context context;
    netsys_server server;
    netsys_client client;

    memset(&server_config, 0, sizeof server_config);
    server_config.struct_size = sizeof server_config;
    server_config.host = hazard_str("127.0.0.1");
    memset(&client_config, 0, sizeof client_config);
    client_config.struct_size = sizeof client_config;
    client_config.host = hazard_str("127.0.0.1");
    client_config.framing = NETSYS_FRAMING_FRAMED;
    server_callbacks.on_message = hazard_count_message;
    client_callbacks.on_open = send_hello;

    REQUIRE_OK(api.context_create(NULL, &context));
    REQUIRE_OK(api.server_start(context, &server_config, &server_callbacks, &server));
    REQUIRE_OK(api.server_port(server, &client_config.port));
    REQUIRE_OK(api.client_start(context, &client_config, &client_callbacks, &client));
    REQUIRE(hazard_await(&received, 1));
    REQUIRE_OK(api.context_shutdown(context, NETSYS_INFINITE));
}

int main(int argc, char** argv) {
    unsigned threads = 0, descriptors = 0;
    const void* first_address = NULL;
    int round;

    REQUIRE(argc == 2);
    for (round = 0; round < ROUNDS; ++round) {
        void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        load(library, "netsys_context_create", &api.context_create);
        load(library, "netsys_context_shutdown", &api.context_shutdown);
        load(library, "netsys_server_start", &api.server_start);
        load(library, "netsys_server_port", &api.server_port);
        load(library, "netsys_client_start", &api.client_start);
        load(library, "netsys_session_send", &api.session_send);
        use_library();
        REQUIRE(dlclose(library) == 0);

        library = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
        REQUIRE(library != NULL); /* nodelete */
        if (round == 0) {
            first_address = dlsym(library, "netsys_version");
            threads = hazard_threads();
            descriptors = hazard_descriptors();
        }
        REQUIRE(dlsym(library, "netsys_version") == first_address);
        REQUIRE(dlclose(library) == 0);
    }
    REQUIRE(hazard_settles(threads, descriptors));
    printf("%d rounds\n", ROUNDS);
    return 0;
}
