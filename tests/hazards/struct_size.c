/* Callers with other versions of the header: a shorter structure is completed with defaults and never read or written
 * past its end; a longer one is taken if what this version does not know is zero. */
#include <sys/mman.h>

#include "hazard.h"

enum { PAGE = 4096, TAIL = 64 };

static unsigned char* page; /* followed by one that can't be touched */
static netsys_context context;

/* A copy that ends where the accessible memory ends, so that one byte too many is a crash. */
static void* at_the_edge(const void* structure, size_t size) {
    unsigned char* copy = page + PAGE - size;
    memcpy(copy, structure, size);
    return copy;
}

typedef netsys_status use(void* structure);

/* An input structure in all its sizes. `known`: its size now; `older`: one with which it must still do. */
static void check_input(const void* structure, size_t known, size_t older, use* with) {
    union {
        uint32_t size;
        unsigned char bytes[PAGE];
        uint64_t alignment;
    } buffer;
    memset(&buffer, 0, sizeof buffer);
    memcpy(buffer.bytes, structure, known);

    buffer.size = (uint32_t)known;
    REQUIRE_OK(with(at_the_edge(&buffer, known)));
    buffer.size = (uint32_t)older;
    REQUIRE_OK(with(at_the_edge(&buffer, older)));
    buffer.size = (uint32_t)known + TAIL;
    REQUIRE_OK(with(at_the_edge(&buffer, known + TAIL)));
    buffer.bytes[known + TAIL - 1] = 1;
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, with(at_the_edge(&buffer, known + TAIL)));
    buffer.bytes[known + TAIL - 1] = 0;
    buffer.bytes[known] = 1;
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, with(at_the_edge(&buffer, known + TAIL)));
    buffer.bytes[known] = 0;
    buffer.size = 0;
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, with(at_the_edge(&buffer, known)));
    buffer.size = UINT32_MAX; /* uninitialised memory: nobody can own that much of it */
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, with(at_the_edge(&buffer, known)));
}

/* An output structure in all its sizes: what lies past the size it gives is not written. */
static void check_output(size_t known, size_t older, use* with) {
    const size_t sizes[3] = {known, older, known + TAIL};
    union {
        uint32_t size;
        unsigned char bytes[PAGE];
        uint64_t alignment;
    } buffer;
    size_t i, at;
    for (i = 0; i < 3; ++i) {
        memset(&buffer, 0xA5, sizeof buffer);
        buffer.size = (uint32_t)sizes[i];
        REQUIRE_OK(with(at_the_edge(&buffer, sizes[i])));
        REQUIRE_OK(with(&buffer));
        for (at = sizes[i]; at < sizeof buffer; ++at) {
            REQUIRE(buffer.bytes[at] == 0xA5);
        }
        REQUIRE(buffer.size == sizes[i]);
        for (at = 4; at < older && buffer.bytes[at] == 0xA5; ++at) {
        }
        REQUIRE(at < older);
    }
    buffer.size = 0;
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, with(&buffer));
}

typedef netsys_status initialise(void* config, size_t size);

static void check_initialiser(size_t known, size_t older, initialise* init) {
    unsigned char buffer[PAGE];
    const size_t sizes[3] = {known, older, known + TAIL};
    size_t i, at;
    for (i = 0; i < 3; ++i) {
        uint32_t stored;
        memset(buffer, 0xA5, sizeof buffer);
        REQUIRE_OK(init(at_the_edge(buffer, sizes[i]), sizes[i]));
        REQUIRE_OK(init(buffer, sizes[i]));
        memcpy(&stored, buffer, sizeof stored);
        REQUIRE(stored == sizes[i]);
        for (at = sizes[i]; at < sizeof buffer; ++at) {
            REQUIRE(buffer[at] == 0xA5);
        }
        for (at = known; at < sizes[i]; ++at) {
            REQUIRE(buffer[at] == 0); /* or it would be refused as unknown */
        }
    }
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, init(buffer, 0));
    REQUIRE_STATUS(NETSYS_ERR_INVALID_ARGUMENT, init(buffer, 3));
}

static netsys_status create_context(void* config) {
    netsys_context made;
    const netsys_status status = netsys_context_create((const netsys_context_config*)config, &made);
    return status == NETSYS_OK ? netsys_context_shutdown(made, 0) : status;
}

static netsys_status start_server(void* config) {
    const netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_server server;
    const netsys_status status = netsys_server_start(context, (const netsys_server_config*)config, &callbacks, &server);
    return status == NETSYS_OK ? netsys_server_destroy(server) : status;
}

static netsys_status start_client(void* config) {
    const netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_client client;
    const netsys_status status = netsys_client_start(context, (const netsys_client_config*)config, &callbacks, &client);
    return status == NETSYS_OK ? netsys_client_destroy(client) : status;
}

static netsys_status start_with_callbacks(void* callbacks) {
    netsys_server_config config;
    netsys_server server;
    netsys_status status;
    REQUIRE_OK(netsys_server_config_init(&config, sizeof config));
    config.host = hazard_str("127.0.0.1");
    status = netsys_server_start(context, &config, (const netsys_callbacks*)callbacks, &server);
    return status == NETSYS_OK ? netsys_server_destroy(server) : status;
}

static netsys_status create_bridge(void* config) {
    netsys_bridge made;
    const netsys_status status =
        netsys_bridge_create(hazard_str("bridge"), (const netsys_bridge_config*)config, NULL, &made);
    return status == NETSYS_OK ? netsys_bridge_destroy(made) : status;
}

static netsys_status create_with_bridge_callbacks(void* callbacks) {
    const netsys_bridge_callbacks* const table = (const netsys_bridge_callbacks*)callbacks;
    netsys_bridge_config config;
    netsys_bridge made;
    netsys_status status;
    REQUIRE_OK(netsys_bridge_config_init(&config, sizeof config));
    status = netsys_bridge_create(hazard_str("bridge"), &config, table, &made);
    return status == NETSYS_OK ? netsys_bridge_destroy(made) : status;
}

static netsys_status encrypt(void* tls) {
    netsys_bridge_config config;
    REQUIRE_OK(netsys_bridge_config_init(&config, sizeof config));
    config.flags = NETSYS_BRIDGE_ENCRYPT;
    config.client_tls = (const netsys_tls_config*)tls;
    return create_bridge(&config);
}

static netsys_status open_none(void* userdata, netsys_client* client) {
    (void)userdata;
    (void)client;
    return NETSYS_ERR_NOT_FOUND;
}

static netsys_status start_pool(const netsys_pool_config* config, const netsys_pool_source* source) {
    netsys_pool made;
    const netsys_status status = netsys_pool_start_with(context, config, source, &made);
    return status == NETSYS_OK ? netsys_pool_destroy(made) : status;
}

static netsys_pool_source pool_source(void) {
    netsys_pool_source source;
    memset(&source, 0, sizeof source);
    source.struct_size = sizeof source;
    source.open = open_none;
    return source;
}

static netsys_status start_pool_of(void* config) {
    const netsys_pool_source source = pool_source();
    return start_pool((const netsys_pool_config*)config, &source);
}

static netsys_status start_pool_with(void* source) {
    netsys_pool_config config;
    REQUIRE_OK(netsys_pool_config_init(&config, sizeof config));
    return start_pool(&config, (const netsys_pool_source*)source);
}

static netsys_status create_manager(void* config) {
    netsys_session_manager made;
    const netsys_status status =
        netsys_session_manager_create(context, (const netsys_session_manager_config*)config, &made);
    return status == NETSYS_OK ? netsys_session_manager_destroy(made) : status;
}

static netsys_server running;
static netsys_pool pool;
static netsys_session_manager manager;

static netsys_status read_stats(void* stats) {
    return netsys_server_stats(running, (netsys_stats*)stats);
}

static netsys_status read_error(void* detail) {
    const netsys_server none = {0};
    uint32_t state;
    REQUIRE_STATUS(NETSYS_ERR_INVALID_HANDLE, netsys_server_state(none, &state));
    return netsys_last_error((netsys_error_info*)detail);
}

static netsys_status read_metrics(void* metrics) {
    return netsys_monitor_metrics((netsys_metrics*)metrics);
}

static netsys_status read_pool(void* info) {
    return netsys_pool_stats(pool, (netsys_pool_info*)info);
}

static netsys_status read_manager(void* info) {
    return netsys_session_manager_stats(manager, (netsys_session_manager_info*)info);
}

static netsys_status init_bridge_config(void* config, size_t size) {
    return netsys_bridge_config_init((netsys_bridge_config*)config, size);
}

static netsys_status init_tls_config(void* config, size_t size) {
    return netsys_tls_config_init((netsys_tls_config*)config, size);
}

static netsys_status init_pool_config(void* config, size_t size) {
    return netsys_pool_config_init((netsys_pool_config*)config, size);
}

static netsys_status init_manager_config(void* config, size_t size) {
    return netsys_session_manager_config_init((netsys_session_manager_config*)config, size);
}

static netsys_status init_context_config(void* config, size_t size) {
    return netsys_context_config_init((netsys_context_config*)config, size);
}

static netsys_status init_server_config(void* config, size_t size) {
    return netsys_server_config_init((netsys_server_config*)config, size);
}

static netsys_status init_client_config(void* config, size_t size) {
    return netsys_client_config_init((netsys_client_config*)config, size);
}

/* The structs of bridges, encryption, pools, managers and figures. */
static void check_others(void) {
    netsys_bridge_config bridge_config;
    netsys_bridge_callbacks bridge_callbacks;
    netsys_tls_config tls_config;
    netsys_pool_config pool_config;
    netsys_session_manager_config manager_config;
    const netsys_pool_source source = pool_source();

    check_initialiser(sizeof bridge_config, offsetof(netsys_bridge_config, server_tls), init_bridge_config);
    check_initialiser(sizeof tls_config, offsetof(netsys_tls_config, certificate_file), init_tls_config);
    check_initialiser(sizeof pool_config, offsetof(netsys_pool_config, idle_timeout_ms), init_pool_config);
    check_initialiser(sizeof manager_config, sizeof manager_config, init_manager_config);

    REQUIRE_OK(netsys_bridge_config_init(&bridge_config, sizeof bridge_config));
    REQUIRE_OK(netsys_tls_config_init(&tls_config, sizeof tls_config));
    REQUIRE_OK(netsys_pool_config_init(&pool_config, sizeof pool_config));
    REQUIRE_OK(netsys_session_manager_config_init(&manager_config, sizeof manager_config));
    memset(&bridge_callbacks, 0, sizeof bridge_callbacks);
    bridge_callbacks.struct_size = sizeof bridge_callbacks;
    check_input(&bridge_config, sizeof bridge_config, offsetof(netsys_bridge_config, server_tls), create_bridge);
    check_input(&bridge_callbacks, sizeof bridge_callbacks, offsetof(netsys_bridge_callbacks, on_error),
                create_with_bridge_callbacks);
    check_input(&tls_config, sizeof tls_config, offsetof(netsys_tls_config, certificate_file), encrypt);
    check_input(&pool_config, sizeof pool_config, offsetof(netsys_pool_config, idle_timeout_ms), start_pool_of);
    check_input(&source, sizeof source, offsetof(netsys_pool_source, closed), start_pool_with);
    check_input(&manager_config, sizeof manager_config, sizeof manager_config, create_manager);

    REQUIRE_OK(netsys_pool_start_with(context, &pool_config, &source, &pool));
    REQUIRE_OK(netsys_session_manager_create(context, &manager_config, &manager));
    check_output(sizeof(netsys_metrics), offsetof(netsys_metrics, latency), read_metrics);
    check_output(sizeof(netsys_pool_info), offsetof(netsys_pool_info, acquired), read_pool);
    check_output(sizeof(netsys_session_manager_info), sizeof(netsys_session_manager_info), read_manager);
    REQUIRE_OK(netsys_session_manager_destroy(manager));
    REQUIRE_OK(netsys_pool_destroy(pool));
}

int main(void) {
    netsys_context_config context_config;
    netsys_server_config server_config;
    netsys_client_config client_config;
    netsys_callbacks callbacks = hazard_callbacks(NULL);
    uint16_t port;

    page = (unsigned char*)mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    REQUIRE(mprotect(page + PAGE, PAGE, PROT_NONE) == 0);
    REQUIRE_OK(netsys_context_create(NULL, &context));
    running = hazard_start_server(context, NETSYS_FRAMING_FRAMED, &callbacks, &port);

    check_initialiser(sizeof context_config, offsetof(netsys_context_config, on_log), init_context_config);
    check_initialiser(sizeof server_config, offsetof(netsys_server_config, max_message_bytes), init_server_config);
    check_initialiser(sizeof client_config, offsetof(netsys_client_config, max_message_bytes), init_client_config);

    REQUIRE_OK(netsys_context_config_init(&context_config, sizeof context_config));
    REQUIRE_OK(netsys_server_config_init(&server_config, sizeof server_config));
    REQUIRE_OK(netsys_client_config_init(&client_config, sizeof client_config));
    server_config.host = hazard_str("127.0.0.1");
    client_config.host = hazard_str("127.0.0.1");
    client_config.port = port;
    check_input(&context_config, sizeof context_config, offsetof(netsys_context_config, on_log), create_context);
    check_input(&server_config, sizeof server_config, offsetof(netsys_server_config, max_message_bytes), start_server);
    check_input(&client_config, sizeof client_config, offsetof(netsys_client_config, max_message_bytes), start_client);
    check_input(&callbacks, sizeof callbacks, offsetof(netsys_callbacks, on_state), start_with_callbacks);

    check_output(sizeof(netsys_stats), offsetof(netsys_stats, wire_bytes_sent), read_stats);
    check_output(sizeof(netsys_error_info), sizeof(netsys_error_info), read_error);
    check_others();
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    return 0;
}
