/*
 * What we use of npm's node-unix-socket, for architectures that have no prebuilt file of it: one datagram sent to a
 * Unix socket. It answers to the same calls (DgramSocketWrap, called by that package's js/dgram.js) and refuses the
 * rest with an error. It must never block the event loop, end the process on a bad argument, or raise SIGPIPE.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <node_api.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A receiver whose queue stays full this long gets nothing: fresh credentials matter more than saying so. */
#define SEND_LIMIT_S 5

typedef struct {
  napi_async_work work;
  napi_ref callback;
  struct sockaddr_un to;
  socklen_t to_length;
  size_t length;
  int failure; /* an errno, 0 when the datagram has gone out */
  unsigned char bytes[];
} datagram;

static napi_value throw(napi_env env, const char *message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

/* In a thread of libuv's pool: this may wait for the receiver. */
static void send_datagram(napi_env env, void *data) {
  (void)env;
  datagram *it = data;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    it->failure = errno;
    return;
  }
  struct timeval limit = {.tv_sec = SEND_LIMIT_S, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ssize_t sent;
  do {
    sent = sendto(fd, it->bytes, it->length, MSG_NOSIGNAL, (struct sockaddr *)&it->to, it->to_length);
  } while (sent < 0 && errno == EINTR);
  it->failure = sent < 0 ? errno : 0;
  close(fd);
}

static void forget(napi_env env, datagram *it) {
  if (it->callback != NULL) napi_delete_reference(env, it->callback);
  if (it->work != NULL) napi_delete_async_work(env, it->work);
  free(it);
}

static void tell(napi_env env, napi_status status, void *data) {
  datagram *it = data;
  int failure = status == napi_cancelled ? ECANCELED : it->failure;
  napi_value callback, global, message, argument;
  napi_get_reference_value(env, it->callback, &callback);
  napi_get_global(env, &global);
  if (failure == 0) {
    napi_get_undefined(env, &argument);
  } else {
    napi_create_string_utf8(env, strerror(failure), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, NULL, message, &argument);
  }
  forget(env, it);
  napi_call_function(env, global, callback, 1, &argument, NULL);
}

/* A leading null byte makes an abstract name, whose end is the length's to tell. */
static int set_address(napi_env env, napi_value path, datagram *it) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, path, NULL, 0, &length) != napi_ok) return 0;
  if (length == 0 || length >= sizeof it->to.sun_path) return 0;
  it->to.sun_family = AF_UNIX;
  napi_get_value_string_utf8(env, path, it->to.sun_path, sizeof it->to.sun_path, &length);
  int is_abstract = it->to.sun_path[0] == '\0';
  it->to_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
  return 1;
}

/* sendTo(buffer, offset, length, path, callback) */
static napi_value send_to(napi_env env, napi_callback_info info) {
  size_t count = 5, size = 0;
  napi_value argument[5];
  unsigned char *bytes = NULL;
  bool is_buffer = false;
  uint32_t offset = 0, length = 0;
  napi_valuetype kind = napi_undefined;
  if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) != napi_ok || count < 5)
    return throw(env, "sendTo takes a buffer, an offset, a length, a path and a callback");
  napi_is_buffer(env, argument[0], &is_buffer);
  napi_typeof(env, argument[4], &kind);
  if (!is_buffer || kind != napi_function) return throw(env, "sendTo takes a buffer first and a callback last");
  napi_get_buffer_info(env, argument[0], (void **)&bytes, &size);
  if (napi_get_value_uint32(env, argument[1], &offset) != napi_ok ||
      napi_get_value_uint32(env, argument[2], &length) != napi_ok || offset > size || length > size - offset)
    return throw(env, "offset and length go beyond the buffer");

  datagram *it = calloc(1, sizeof *it + length);
  if (it == NULL) return throw(env, "no memory for a datagram");
  if (!set_address(env, argument[3], it)) {
    free(it);
    return throw(env, "a Unix socket's path has 1 to 107 bytes");
  }
  it->length = length;
  if (length > 0) memcpy(it->bytes, bytes + offset, length);
  napi_value name;
  napi_create_string_utf8(env, "idc-unix-datagram", NAPI_AUTO_LENGTH, &name);
  if (napi_create_reference(env, argument[4], 1, &it->callback) != napi_ok ||
      napi_create_async_work(env, NULL, name, send_datagram, tell, it, &it->work) != napi_ok ||
      napi_queue_async_work(env, it->work) != napi_ok) {
    forget(env, it);
    return throw(env, "the datagram could not be queued");
  }
  return NULL;
}

/* The constructor, init, startRecv and close: no descriptor is held between two datagrams. */
static napi_value nothing(napi_env env, napi_callback_info info) {
  napi_value self;
  return napi_get_cb_info(env, info, NULL, NULL, &self, NULL) == napi_ok ? self : NULL;
}

static napi_value unsupported(napi_env env, napi_callback_info info) {
  (void)info;
  return throw(env, "this build of the addon only sends datagrams");
}

static napi_value module_init(napi_env env, napi_value exports) {
  const napi_property_descriptor methods[] = {
      {"init", NULL, nothing, NULL, NULL, NULL, napi_default, NULL},
      {"startRecv", NULL, nothing, NULL, NULL, NULL, napi_default, NULL},
      {"close", NULL, nothing, NULL, NULL, NULL, napi_default, NULL},
      {"sendTo", NULL, send_to, NULL, NULL, NULL, napi_default, NULL},
      {"bind", NULL, unsupported, NULL, NULL, NULL, napi_default, NULL},
      {"address", NULL, unsupported, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_value wrap;
  napi_define_class(env, "DgramSocketWrap", NAPI_AUTO_LENGTH, nothing, NULL, sizeof methods / sizeof *methods, methods,
                    &wrap);
  napi_set_named_property(env, exports, "DgramSocketWrap", wrap);
  napi_value hook;
  napi_create_function(env, "initCleanupHook", NAPI_AUTO_LENGTH, nothing, NULL, &hook);
  napi_set_named_property(env, exports, "initCleanupHook", hook);
  return exports;
}

NAPI_MODULE(idc_unix_datagram, module_init)
