#include "drill/connection.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PORT = 80,
	PORT_TLS = 443,
	READ_BYTES = 4096,
};

/* Sessions of TLS 1.3 come after the handshake, each in its turn. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **place = SSL_get_app_data(ssl);
	SSL_SESSION_free(*place);
	*place = session;
	return 1;
}

int tls_client_init(size_t person_count, struct tls_client *ret_tls)
{
	struct tls_client tls = {SSL_CTX_new(TLS_client_method()), calloc(person_count + 1, sizeof(SSL_SESSION *))};
	if (tls.context == NULL || tls.sessions == NULL) {
		SSL_CTX_free(tls.context);
		free(tls.sessions);
		return -ENOMEM;
	}
	SSL_CTX_set_session_cache_mode(tls.context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(tls.context, keep_session);
	SSL_CTX_set_mode(tls.context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* The page itself says whose it is; who vouches for the name is not what is tried here. */
	SSL_CTX_set_verify(tls.context, SSL_VERIFY_NONE, NULL);
	*ret_tls = tls;
	return 0;
}

static int start_tls(struct connection *c, const char *host, const struct tls_client *tls)
{
	c->ssl = SSL_new(tls->context);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_set_tlsext_host_name(c->ssl, host) != 1)
		return -ENOMEM;
	SSL_set_app_data(c->ssl, &tls->sessions[c->who]);
	SSL_set_connect_state(c->ssl);
	if (tls->sessions[c->who] != NULL && SSL_set_session(c->ssl, tls->sessions[c->who]) != 1)
		return -ENOMEM;
	return 0;
}

/* The local port is chosen when the destination is known, so that ports never run out. */
static int bind_to(int fd, const struct address *address)
{
	int yes = 1;
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes)) != 0)
		return -errno;
	if (!address->six) {
		struct sockaddr_in from = {.sin_family = AF_INET};
		memcpy(&from.sin_addr, address->bytes, 4);
		return bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 ? 0 : -errno;
	}
	struct sockaddr_in6 from = {.sin6_family = AF_INET6};
	memcpy(&from.sin6_addr, address->bytes, 16);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes)) != 0)
		return -errno;
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

int connection_open(const struct person *person, uint32_t who, const char *host, const struct tls_client *tls, int poll,
		    struct connection **ret_connection)
{
	struct connection *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->who = who;
	c->fd = socket(person->address.six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
	int r = c->fd < 0 ? -errno : bind_to(c->fd, &person->address);
	r = r != 0 ? r : connect_to(c->fd, person);
	r = r == 0 && epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event) != 0 ? -errno : r;
	r = r == 0 && person->tls ? start_tls(c, host, tls) : r;
	if (r == 0) {
		*ret_connection = c;
		return 0;
	}
	connection_close(c, true);
	free(c);
	return r;
}

void connection_close(struct connection *c, bool abruptly)
{
	struct linger now = {.l_onoff = 1};
	if (c->ssl != NULL) {
		/* Otherwise the session would count as broken and not be resumed. */
		SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(c->ssl);
	}
	if (c->fd >= 0 && abruptly)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (c->fd >= 0)
		close(c->fd);
	buffer_free(&c->in);
	c->fd = -1;
}

static int tls_error(struct connection *c, int r)
{
	int error = SSL_get_error(c->ssl, r);
	ERR_clear_error();
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -EAGAIN : -EIO;
}

int connection_greet(struct connection *c)
{
	if (c->ssl == NULL)
		return 0;
	int r = SSL_do_handshake(c->ssl);
	return r == 1 ? 0 : tls_error(c, r);
}

ssize_t connection_write(struct connection *c, const uint8_t *bytes, size_t len)
{
	if (c->ssl != NULL) {
		int r = SSL_write(c->ssl, bytes, (int)len);
		return r > 0 ? r : tls_error(c, r);
	}
	ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
	return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? -EAGAIN : -EIO;
}

ssize_t connection_read(struct connection *c)
{
	ssize_t n;
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
