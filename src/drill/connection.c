/*
 * Non-blocking sockets, registered once with epoll for both directions. One that is broken off is disconnected by
 * connect(2) to AF_UNSPEC, which resets it, and is kept to be used again. Certificates are not looked at.
 */
#include "drill/connection.h"

#include "base/error.h"
#include "drill/connection_tool.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PORT = 80,
	PORT_TLS = 443,
	READ_BYTES = 4096,
	SEND_BYTES = 2048, /* more than a request has */
};

/* A new one takes the place of the one before. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **place = SSL_get_app_data(ssl);
	SSL_SESSION_free(*place);
	*place = session;
	return 1;
}

static int trust(X509_STORE_CTX *chain, void *context)
{
	(void)chain;
	(void)context;
	return 1;
}

static int dial_init_tools(size_t person_count, struct dial *dial)
{
	dial->tools = true;
	dial->random = person_count;
	dial->tool_sessions = calloc(person_count + 1, sizeof(*dial->tool_sessions));
	return dial->tool_sessions == NULL ? -ENOMEM : tool_ciphers_make(&dial->ciphers);
}

static int dial_init_browsers(size_t person_count, struct dial *dial)
{
	dial->context = SSL_CTX_new(TLS_client_method());
	dial->sessions = calloc(person_count + 1, sizeof(SSL_SESSION *));
	if (dial->context == NULL || dial->sessions == NULL)
		return -ENOMEM;
	/* As the attackers', whose greeting then needs no key yet. */
	(void)SSL_CTX_set_max_proto_version(dial->context, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(dial->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(dial->context, keep_session);
	SSL_CTX_set_mode(dial->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
						SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_max_send_fragment(dial->context, SEND_BYTES);
	/* The page itself says whose it is; who vouches for the name is not what is tried here. */
	SSL_CTX_set_cert_verify_callback(dial->context, trust, NULL);
	return 0;
}

/* What was made when something could not be stays: the process ends. */
int dial_init(size_t person_count, bool tools, uint32_t mark, struct dial *ret_dial)
{
	struct dial dial = {.poll = epoll_create1(EPOLL_CLOEXEC), .mark = mark};
	int r = dial.poll < 0 ? -errno
		: tools       ? dial_init_tools(person_count, &dial)
			      : dial_init_browsers(person_count, &dial);
	if (r == 0)
		*ret_dial = dial;
	return r;
}

static int start_tls(const struct dial *dial, struct connection *c)
{
	SSL_SESSION **session = &dial->sessions[c->who];
	c->ssl = SSL_new(dial->context);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_set_tlsext_host_name(c->ssl, c->host) != 1)
		return -ENOMEM;
	SSL_set_app_data(c->ssl, session);
	SSL_set_connect_state(c->ssl);
	return *session == NULL || SSL_set_session(c->ssl, *session) == 1 ? 0 : -ENOMEM;
}

static int bind_to(int fd, const struct host_address *address)
{
	if (!address->six) {
		struct sockaddr_in from = {.sin_family = AF_INET};
		memcpy(&from.sin_addr, address->bytes, 4);
		return bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 ? 0 : -errno;
	}
	struct sockaddr_in6 from = {.sin6_family = AF_INET6};
	memcpy(&from.sin6_addr, address->bytes, 16);
	return bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 ? 0 : -errno;
}

static int connect_to(int fd, const struct person *person)
{
	uint16_t port = htons(person->tls ? PORT_TLS : PORT);
	int r;
	if (person->address.six) {
		struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = port};
		inet_pton(AF_INET6, GATE_V6, &to.sin6_addr);
		r = connect(fd, (struct sockaddr *)&to, sizeof(to));
	} else {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = port};
		inet_pton(AF_INET, GATE_V4, &to.sin_addr);
		r = connect(fd, (struct sockaddr *)&to, sizeof(to));
	}
	return r == 0 || errno == EINPROGRESS ? 0 : -errno;
}

/* The local port is chosen when the destination is known, so that ports never run out. */
static int make_socket(const struct dial *dial, int fd, bool six)
{
	int yes = 1;
	/* As browsers do: a request right behind a handshake would wait until that is acknowledged. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes)) != 0 ||
	    (six && setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes)) != 0) ||
	    (dial->mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &dial->mark, sizeof(dial->mark)) != 0))
		return -errno;
	return 0;
}

static int make_new(const struct dial *dial, bool six, struct connection **ret_connection)
{
	struct connection *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
	c->six = six;
	c->state = CONNECTION_GONE;
	c->fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = c->fd < 0 ? -errno : make_socket(dial, c->fd, six);
	if (r == 0 && epoll_ctl(dial->poll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		r = -errno;
	if (r == 0) {
		*ret_connection = c;
		return 0;
	}
	if (c->fd >= 0)
		close(c->fd);
	free(c);
	return r;
}

static int take(struct dial *dial, bool six, struct connection **ret_connection)
{
	struct connection *c = dial->spare[six];
	if (c == NULL)
		return make_new(dial, six, ret_connection);
	dial->spare[six] = c->under;
	*c = (struct connection){.fd = c->fd, .six = six};
	*ret_connection = c;
	return 0;
}

int connection_open(struct dial *dial, const struct person *person, uint32_t who, const char *host,
		    struct connection **ret_connection)
{
	struct connection *c;
	int r = take(dial, person->address.six, &c);
	if (r != 0)
		return r;
	r = bind_to(c->fd, &person->address);
	r = r != 0 ? r : connect_to(c->fd, person);
	if (r != 0) {
		connection_close(c, false);
		connection_free(dial, c);
		return r;
	}
	c->state = CONNECTION_GREETING;
	c->who = who;
	c->host = host;
	c->tls = person->tls;
	*ret_connection = c;
	return 0;
}

void connection_close(struct connection *c, bool abruptly)
{
	static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	if (c->ssl != NULL) {
		/* Otherwise the session would count as broken and not be resumed. */
		SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	connection_tool_end(c);
	c->state = CONNECTION_GONE;
	buffer_free(&c->in);
	if (abruptly && connect(c->fd, &nowhere, sizeof(nowhere)) == 0)
		return;
	close(c->fd);
	c->fd = -1;
}

void connection_free(struct dial *dial, struct connection *c)
{
	if (c->fd < 0) {
		free(c);
		return;
	}
	c->under = dial->spare[c->six];
	dial->spare[c->six] = c;
}

static int tls_error(struct connection *c, int r)
{
	int error = SSL_get_error(c->ssl, r);
	ERR_clear_error();
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -EAGAIN : -EIO;
}

int connection_greet(struct dial *dial, struct connection *c)
{
	if (!c->tls)
		return 0;
	if (dial->tools)
		return connection_tool_greet(dial, c);
	c->greets = true;
	if (c->ssl == NULL && start_tls(dial, c) != 0)
		return -EIO;
	int r = SSL_do_handshake(c->ssl);
	return r == 1 ? 0 : tls_error(c, r);
}

ssize_t connection_write(struct connection *c, const uint8_t *bytes, size_t len)
{
	if (c->ssl != NULL) {
		int r = SSL_write(c->ssl, bytes, (int)len);
		return r > 0 ? r : tls_error(c, r);
	}
	if (c->tool != NULL)
		return connection_tool_write(c, slice_make(bytes, len));
	ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
	return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? -EAGAIN : -EIO;
}

ssize_t connection_read(struct connection *c)
{
	ssize_t n;
	if (c->tool != NULL)
		return connection_tool_read(c);
	if (buffer_reserve(&c->in, READ_BYTES) != 0)
		return -EIO;
	if (c->ssl != NULL) {
		int r = SSL_read(c->ssl, c->in.ptr + c->in.len, READ_BYTES);
		n = r > 0 ? r : SSL_get_error(c->ssl, r) == SSL_ERROR_ZERO_RETURN ? 0 : tls_error(c, r);
	} else {
		n = recv(c->fd, c->in.ptr + c->in.len, READ_BYTES, 0);
		n = n >= 0 ? n : errno == EAGAIN || errno == EINTR ? -EAGAIN : -EIO;
	}
	if (n > 0)
		c->in.len += (size_t)n;
	return n;
}
