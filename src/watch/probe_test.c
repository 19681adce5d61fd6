#include "watch/probe.h"

#include "base/slice.h"
#include "base/test.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { NOW_NS = 1000000000, PATIENCE_MS = 60000 };

/* A site behind TLS, and the probe that fetches it, in one thread. */
struct site {
	SSL_CTX *context;
	SSL *tls;
	int listener, fd;
	struct probe probe;
	SSL_CTX *probes;
};

static void certificate_make(SSL_CTX *context)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	assert_int_equal(X509_set_pubkey(x509, pair), 1);
	assert_true(X509_sign(x509, pair, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(context, x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, pair), 1);
	X509_free(x509);
	EVP_PKEY_free(pair);
}

static void site_begin(struct site *site)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	struct probe_target target;
	char text[64];
	*site = (struct site){.context = SSL_CTX_new(TLS_server_method()), .probes = SSL_CTX_new(TLS_client_method())};
	certificate_make(site->context);
	assert_int_equal(SSL_CTX_set_num_tickets(site->context, 0), 1); /* to read one clears the queue by chance */
	site->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(site->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(site->listener, 1), 0);
	assert_int_equal(getsockname(site->listener, (struct sockaddr *)&address, &len), 0);
	snprintf(text, sizeof(text), "a.example=https://127.0.0.1:%u/", ntohs(address.sin_port));
	assert_null(probe_target_parse(slice_from_string(text), &target));
	probe_init(&site->probe, &target);
	probe_step(&site->probe, site->probes, NOW_NS);
	site->fd = accept4(site->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(site->fd >= 0);
	site->tls = SSL_new(site->context);
	assert_int_equal(SSL_set_fd(site->tls, site->fd), 1);
}

static void site_end(struct site *site)
{
	probe_release(&site->probe);
	SSL_free(site->tls);
	if (site->fd >= 0)
		close(site->fd);
	close(site->listener);
	SSL_CTX_free(site->context);
	SSL_CTX_free(site->probes);
}

/* The probe, once it has something to do; another site's has failed in the meantime. */
static void probe_moves(struct site *site)
{
	struct pollfd ready = probe_waits(&site->probe);
	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
	probe_step(&site->probe, site->probes, NOW_NS);
	ERR_clear_error();
}

static void site_reads_the_request(struct site *site)
{
	char bytes[4096];
	int got = 0;
	for (unsigned i = 0; i < 100 && got <= 0; i++) {
		struct pollfd waits[2] = {probe_waits(&site->probe), {site->fd, POLLIN, 0}};
		assert_true(poll(waits, 2, PATIENCE_MS) > 0);
		if (waits[0].revents != 0)
			probe_moves(site);
		got = SSL_accept(site->tls) == 1 ? SSL_read(site->tls, bytes, sizeof(bytes)) : 0;
		ERR_clear_error();
	}
	assert_true(got > 0);
}

static void site_answers(struct site *site, const char *text)
{
	assert_int_equal(SSL_write(site->tls, text, (int)strlen(text)), (int)strlen(text));
}

static void another_sites_failure_is_not_this_ones(void **state)
{
	struct site site;
	(void)state;
	site_begin(&site);
	site_reads_the_request(&site);
	while (site.probe.state != PROBE_READING)
		probe_moves(&site);
	site_answers(&site, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
	probe_moves(&site);
	assert_int_equal(site.probe.state, PROBE_READING);
	site_answers(&site, "llo");
	(void)SSL_shutdown(site.tls);
	close(site.fd);
	site.fd = -1;
	while (site.probe.state != PROBE_RESTING)
		probe_moves(&site);
	assert_int_equal(site.probe.answered, 1);
	assert_null(site.probe.fault);
	site_end(&site);
}

TEST_MAIN(cmocka_unit_test(another_sites_failure_is_not_this_ones))
