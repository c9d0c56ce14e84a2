// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "dataplane/tls_context.h"

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "dataplane/tls_engine.h"
#include "dataplane/x509_util.h"

namespace fairlead::dataplane {
namespace {

// TLS 1.2 only; TLS 1.3's are fixed. Of the first two of a kind the client's order decides: one
// without AES hardware prefers ChaCha20.
constexpr char kCiphers[] =
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

// A context takes what its callbacks need along, so that a reload leaves running handshakes alone.
struct ContextData {
  Certificates client_anchors;
  // Empty: any client may come, also without a certificate.
  std::string client_uri_prefix;
  // With a prefix only: what ALPN may select, the best first.
  std::vector<std::string> protocols;
  std::shared_ptr<const ServerTrust> trust;
};

void FreeContextData(void* /*parent*/, void* data, CRYPTO_EX_DATA* /*ad*/, int /*index*/,
                     long /*argl*/, void* /*argp*/) {
  delete static_cast<ContextData*>(data);
}

int ContextDataIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &FreeContextData);
  return index;
}

const ContextData& DataOf(SSL* ssl) {
  return *static_cast<ContextData*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ContextDataIndex()));
}

bssl::UniquePtr<CRYPTO_BUFFER> BufferOf(const std::string& der) {
  return bssl::UniquePtr<CRYPTO_BUFFER>(
      CRYPTO_BUFFER_new(reinterpret_cast<const std::uint8_t*>(der.data()), der.size(), nullptr));
}

// The chain that the peer sent, leaf first; empty if a certificate cannot be parsed.
Certificates PeerChain(SSL* ssl) {
  Certificates chain;
  const STACK_OF(CRYPTO_BUFFER)* buffers = SSL_get0_peer_certificates(ssl);
  for (std::size_t i = 0; buffers != nullptr && i < sk_CRYPTO_BUFFER_num(buffers); ++i) {
    chain.emplace_back(X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(buffers, i)));
    if (chain.back() == nullptr) return {};
  }
  return chain;
}

ssl_verify_result_t Conclude(SSL* ssl, const Certificates& chain, absl::Status verdict,
                             CertificateAlert alert, std::uint8_t* out_alert) {
  TlsConnectionFacts& facts = TlsEngine::FactsOf(ssl);
  if (!verdict.ok()) {
    facts.verdict = std::move(verdict);
    *out_alert = static_cast<std::uint8_t>(alert);
    return ssl_verify_invalid;
  }
  facts.peer = DescribeCertificate(*chain[0]);
  return ssl_verify_ok;
}

absl::Status VerifyClientRole(const X509& certificate, const std::string& prefix,
                              CertificateAlert& alert) {
  if (prefix.empty()) return absl::OkStatus();
  const PeerCertificate peer = DescribeCertificate(certificate);
  for (const std::string& uri : peer.uris) {
    if (absl::StartsWith(uri, prefix)) return absl::OkStatus();
  }
  alert = CertificateAlert::kUnsupported;
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition, "TLS_UNTRUSTED",
      absl::StrCat("the client's certificate (", peer.common_name,
                   ") does not bear the role that is demanded here (a URI that begins with ",
                   prefix, ")"));
}

ssl_verify_result_t VerifyClient(SSL* ssl, std::uint8_t* out_alert) {
  const Certificates chain = PeerChain(ssl);
  CertificateAlert alert = CertificateAlert::kBadCertificate;
  const ContextData& data = DataOf(ssl);
  absl::Status verdict = VerifyClientChain(chain, data.client_anchors, alert);
  if (verdict.ok()) verdict = VerifyClientRole(*chain[0], data.client_uri_prefix, alert);
  return Conclude(ssl, chain, std::move(verdict), alert, out_alert);
}

ssl_verify_result_t VerifyServer(SSL* ssl, std::uint8_t* out_alert) {
  const TlsConnectionFacts& facts = TlsEngine::FactsOf(ssl);
  const ServerTrust& trust = facts.trust != nullptr ? *facts.trust : *DataOf(ssl).trust;
  const Certificates chain = PeerChain(ssl);
  CertificateAlert alert = CertificateAlert::kBadCertificate;
  absl::Status verdict = trust.Verify(chain, facts.server_name, alert);
  return Conclude(ssl, chain, std::move(verdict), alert, out_alert);
}

// Whether `list`, the body of an ALPN extension without its length, names `protocol`.
bool Offers(CBS list, absl::string_view protocol) {
  CBS name;
  while (CBS_get_u8_length_prefixed(&list, &name)) {
    if (CBS_mem_equal(&name, reinterpret_cast<const std::uint8_t*>(protocol.data()),
                      protocol.size())) {
      return true;
    }
  }
  return false;
}

// Decides by ALPN whether to ask for a client certificate, or to give tickets.
ssl_select_cert_result_t InspectClientHello(const SSL_CLIENT_HELLO* hello) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  bool offers_http11 = false;
  if (SSL_early_callback_ctx_extension_get(
          hello, TLSEXT_TYPE_application_layer_protocol_negotiation, &data, &size)) {
    CBS extension;
    CBS list;
    CBS_init(&extension, data, size);
    offers_http11 = CBS_get_u16_length_prefixed(&extension, &list) && Offers(list, "http/1.1");
  }
  TlsEngine::FactsOf(hello->ssl).peer_offered_http11 = offers_http11;
  if (offers_http11) {
    // A browser opens many connections, and nothing of what a certificate says is in its tickets.
    SSL_clear_options(hello->ssl, SSL_OP_NO_TICKET);
  } else if (!DataOf(hello->ssl).client_anchors.empty()) {
    SSL_set_custom_verify(hello->ssl, SSL_VERIFY_PEER, &VerifyClient);
  }
  return ssl_select_cert_success;
}

int Select(absl::string_view protocol, const std::uint8_t** out, std::uint8_t* out_size) {
  *out = reinterpret_cast<const std::uint8_t*>(protocol.data());
  *out_size = static_cast<std::uint8_t>(protocol.size());
  return SSL_TLSEXT_ERR_OK;
}

int SelectProtocol(SSL* /*ssl*/, const std::uint8_t** out, std::uint8_t* out_size,
                   const std::uint8_t* in, unsigned in_size, void* /*argument*/) {
  CBS list;
  CBS_init(&list, in, in_size);
  // A browser offers both; its WebSockets need HTTP/1.1.
  if (Offers(list, "http/1.1")) return Select("http/1.1", out, out_size);
  if (Offers(list, "h2")) return Select("h2", out, out_size);
  if (Offers(list, "http/1.0")) return SSL_TLSEXT_ERR_NOACK;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// For certain clients.
int SelectOwnProtocol(SSL* ssl, const std::uint8_t** out, std::uint8_t* out_size,
                      const std::uint8_t* in, unsigned in_size, void* /*argument*/) {
  CBS list;
  CBS_init(&list, in, in_size);
  for (const std::string& protocol : DataOf(ssl).protocols) {
    if (Offers(list, protocol)) return Select(protocol, out, out_size);
  }
  return SSL_TLSEXT_ERR_NOACK;
}

absl::Status UseIdentity(SSL_CTX* context, const TlsIdentity& identity) {
  FAIRLEAD_ASSIGN_OR_RETURN(
      const Certificates chain,
      ParseCertificatesPem(identity.certificate_chain_pem, "the certificate chain"));
  FAIRLEAD_ASSIGN_OR_RETURN(const bssl::UniquePtr<EVP_PKEY> key,
                            ParsePrivateKeyPem(identity.private_key_pem));
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owners;
  std::vector<CRYPTO_BUFFER*> buffers;
  for (const auto& certificate : chain) {
    owners.push_back(BufferOf(DerOf(*certificate)));
    buffers.push_back(owners.back().get());
  }
  if (!SSL_CTX_set_chain_and_key(context, buffers.data(), buffers.size(), key.get(), nullptr)) {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    absl::Status status = absl::InvalidArgumentError(
        absl::StrCat("the private key and the first certificate of the chain cannot be used "
                     "together: ",
                     reason != nullptr ? reason : "unknown error"));
    ERR_clear_error();
    return status;
  }
  return absl::OkStatus();
}

// What both roles have in common. The names of certificates stay as they came: no X509 objects are
// kept a connection.
std::shared_ptr<SSL_CTX> NewContext(std::unique_ptr<ContextData> data) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()), &SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_strict_cipher_list(context.get(), kCiphers);
  // Resumption would skip the verification of certificates, which may have been revoked. Whoever is
  // not asked for one gets tickets all the same: see InspectClientHello.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_ex_data(context.get(), ContextDataIndex(), data.release());
  return context;
}

// Names the CAs to a client, so that it picks the right certificate.
void NameClientCas(SSL_CTX* context, const Certificates& anchors) {
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names(sk_CRYPTO_BUFFER_new_null());
  for (const auto& anchor : anchors) {
    std::uint8_t* der = nullptr;
    const int size = i2d_X509_NAME(X509_get_subject_name(anchor.get()), &der);
    if (size < 0) continue;
    const bssl::UniquePtr<std::uint8_t> owner(der);
    sk_CRYPTO_BUFFER_push(names.get(),
                          CRYPTO_BUFFER_new(der, static_cast<std::size_t>(size), nullptr));
  }
  SSL_CTX_set0_client_CAs(context, names.release());
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> NewServerContext(const TlsIdentity& identity,
                                                          absl::string_view client_ca_pem,
                                                          absl::string_view client_uri_prefix,
                                                          std::vector<std::string> protocols) {
  auto data = std::make_unique<ContextData>();
  if (!client_ca_pem.empty()) {
    FAIRLEAD_ASSIGN_OR_RETURN(data->client_anchors,
                              ParseCertificatesPem(client_ca_pem, "the CA of clients"));
  }
  data->client_uri_prefix = std::string(client_uri_prefix);
  data->protocols = std::move(protocols);
  const Certificates& anchors = data->client_anchors;
  std::shared_ptr<SSL_CTX> context = NewContext(std::move(data));
  FAIRLEAD_RETURN_IF_ERROR(UseIdentity(context.get(), identity));
  NameClientCas(context.get(), anchors);
  if (!client_uri_prefix.empty()) {
    SSL_CTX_set_custom_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                              &VerifyClient);
    SSL_CTX_set_alpn_select_cb(context.get(), &SelectOwnProtocol, nullptr);
    return context;
  }
  SSL_CTX_set_select_certificate_cb(context.get(), &InspectClientHello);
  SSL_CTX_set_alpn_select_cb(context.get(), &SelectProtocol, nullptr);
  return context;
}

absl::StatusOr<std::string> EncodeProtocols(const std::vector<std::string>& protocols) {
  std::string encoded;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", protocol, "\" cannot be an ALPN protocol: 1 to 255 bytes"));
    }
    encoded.push_back(static_cast<char>(protocol.size()));
    encoded += protocol;
  }
  return encoded;
}

}  // namespace

struct TlsServerContext::State {
  std::string client_uri_prefix;
  std::vector<std::string> alpn;
  mutable std::mutex mutex;
  // Guarded by mutex.
  std::shared_ptr<SSL_CTX> context;
};

TlsServerContext::TlsServerContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsServerContext::~TlsServerContext() = default;

absl::StatusOr<std::shared_ptr<TlsServerContext>> TlsServerContext::Create(
    const TlsIdentity& identity, absl::string_view client_ca_pem) {
  auto state = std::make_unique<State>();
  FAIRLEAD_ASSIGN_OR_RETURN(state->context, NewServerContext(identity, client_ca_pem, "", {}));
  return std::shared_ptr<TlsServerContext>(new TlsServerContext(std::move(state)));
}

absl::StatusOr<std::shared_ptr<TlsServerContext>> TlsServerContext::CreateMutual(
    const TlsIdentity& identity, absl::string_view client_ca_pem,
    absl::string_view client_uri_prefix, std::vector<std::string> alpn) {
  if (client_ca_pem.empty() || client_uri_prefix.empty()) {
    return absl::InvalidArgumentError("nothing says which clients to let in");
  }
  auto state = std::make_unique<State>();
  FAIRLEAD_ASSIGN_OR_RETURN(state->context,
                            NewServerContext(identity, client_ca_pem, client_uri_prefix, alpn));
  state->client_uri_prefix = std::string(client_uri_prefix);
  state->alpn = std::move(alpn);
  return std::shared_ptr<TlsServerContext>(new TlsServerContext(std::move(state)));
}

absl::Status TlsServerContext::Reload(const TlsIdentity& identity,
                                      absl::string_view client_ca_pem) {
  FAIRLEAD_ASSIGN_OR_RETURN(
      std::shared_ptr<SSL_CTX> context,
      NewServerContext(identity, client_ca_pem, state_->client_uri_prefix, state_->alpn));
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->context.swap(context);
  return absl::OkStatus();
}

std::shared_ptr<SSL_CTX> TlsServerContext::Acquire() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->context;
}

struct TlsClientContext::State {
  TlsTrust trust;
  std::shared_ptr<SSL_CTX> context;
};

TlsClientContext::TlsClientContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsClientContext::~TlsClientContext() = default;

absl::StatusOr<std::shared_ptr<TlsClientContext>> TlsClientContext::Create(
    const TlsTrust& trust, const TlsIdentity* identity, std::vector<std::string> alpn) {
  auto data = std::make_unique<ContextData>();
  FAIRLEAD_ASSIGN_OR_RETURN(data->trust,
                            ServerTrust::Parse(trust.ca_pem, trust.sha256_fingerprint, trust.uri));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string protocols, EncodeProtocols(alpn));
  std::shared_ptr<SSL_CTX> context = NewContext(std::move(data));
  if (identity != nullptr) FAIRLEAD_RETURN_IF_ERROR(UseIdentity(context.get(), *identity));
  SSL_CTX_set_custom_verify(context.get(), SSL_VERIFY_PEER, &VerifyServer);
  SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const std::uint8_t*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
  auto state = std::make_unique<State>();
  state->trust = trust;
  state->context = std::move(context);
  return std::shared_ptr<TlsClientContext>(new TlsClientContext(std::move(state)));
}

std::shared_ptr<SSL_CTX> TlsClientContext::Acquire() const { return state_->context; }

const TlsTrust& TlsClientContext::trust() const { return state_->trust; }

}  // namespace fairlead::dataplane
