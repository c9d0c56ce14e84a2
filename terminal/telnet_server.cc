// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "terminal/telnet_server.h"

#include <libtelnet.h>

#include <utility>

#include "absl/strings/ascii.h"

namespace fairlead::terminal {
namespace {

constexpr std::size_t kMaxTerminalType = 40;

// How often the client may switch an option on. Two sides that answer each other's switching can go
// on for ever once they disagree (RFC 1143 assumes that both began alike); a refusal ends it.
constexpr int kMaxSwitches = 32;

// The keys that commands stand for, with a terminal's default settings; 0 for none.
char KeyOf(unsigned char command) {
  switch (command) {
    case TELNET_IP:
      return '\x03';
    case TELNET_BREAK:
    case TELNET_ABORT:
      return '\x1C';
    case TELNET_SUSP:
      return '\x1A';
    case TELNET_EOF:
      return '\x04';
    case TELNET_EC:
      return '\x7F';
    case TELNET_EL:
      return '\x15';
    default:
      return '\0';
  }
}

std::uint32_t Measure(absl::string_view two_bytes, std::uint32_t before) {
  const auto high = static_cast<unsigned char>(two_bytes[0]);
  const auto low = static_cast<unsigned char>(two_bytes[1]);
  const std::uint32_t value = high * 256u + low;
  return value == 0 ? before : value;
}

}  // namespace

// What either side may be asked to do, and does. libtelnet looks into the table whenever it is
// asked.
struct TelnetServer::Options {
  telnet_telopt_t table[6] = {
      {TELNET_TELOPT_ECHO, TELNET_WILL, TELNET_DONT}, {TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO},
      {TELNET_TELOPT_NAWS, TELNET_WONT, TELNET_DO},   {TELNET_TELOPT_TTYPE, TELNET_WONT, TELNET_DO},
      {TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO}, {-1, 0, 0},
  };
  int switches[5] = {};

  // `option` was switched on once more, on either side.
  void Count(unsigned char option) {
    for (int i = 0; i < 5; ++i) {
      if (table[i].telopt != option || ++switches[i] <= kMaxSwitches) continue;
      table[i].us = TELNET_WONT;
      table[i].him = TELNET_DONT;
    }
  }
};

TelnetServer::TelnetServer(WindowSize size)
    : options_(std::make_unique<Options>()),
      telnet_(telnet_init(options_->table, &TelnetServer::OnEvent, 0, this)),
      filter_({TELNET_TELOPT_NAWS, TELNET_TELOPT_TTYPE}),
      size_(size) {
  telnet_negotiate(telnet_, TELNET_WILL, TELNET_TELOPT_ECHO);
  telnet_negotiate(telnet_, TELNET_WILL, TELNET_TELOPT_SGA);
  telnet_negotiate(telnet_, TELNET_DO, TELNET_TELOPT_NAWS);
  telnet_negotiate(telnet_, TELNET_DO, TELNET_TELOPT_TTYPE);
  telnet_negotiate(telnet_, TELNET_WILL, TELNET_TELOPT_BINARY);
  telnet_negotiate(telnet_, TELNET_DO, TELNET_TELOPT_BINARY);
}

TelnetServer::~TelnetServer() { telnet_free(telnet_); }

void TelnetServer::Receive(absl::string_view bytes) {
  const absl::string_view rest = filter_.Filter(bytes);
  telnet_recv(telnet_, rest.data(), rest.size());
  if (filter_.HeardDont(TELNET_TELOPT_BINARY)) binary_out_ = false;
}

void TelnetServer::Send(absl::string_view output) {
  while (!output.empty()) {
    // Outside binary mode a CR is followed by LF or NUL (RFC 854); which of them may be known only
    // with the next output.
    if (std::exchange(output_after_cr_, false) && !binary_out_ && output[0] != '\n') {
      telnet_send(telnet_, "\0", 1);
    }
    const std::size_t cr = binary_out_ ? absl::string_view::npos : output.find('\r');
    const std::size_t size = cr == absl::string_view::npos ? output.size() : cr + 1;
    telnet_send(telnet_, output.data(), size);
    output_after_cr_ = cr != absl::string_view::npos;
    output.remove_prefix(size);
  }
}

bool TelnetServer::SendsAsItIs(absl::string_view output) const {
  return binary_out_ && !output_after_cr_ && network_.empty() &&
         output.find(static_cast<char>(TELNET_IAC)) == absl::string_view::npos;
}

std::string TelnetServer::TakeInput() { return std::exchange(input_, std::string()); }

std::string TelnetServer::TakeNetwork() { return std::exchange(network_, std::string()); }

std::optional<WindowSize> TelnetServer::TakeWindowSize() {
  if (!std::exchange(size_changed_, false)) return std::nullopt;
  return size_;
}

void TelnetServer::OnEvent(telnet_t* telnet, telnet_event_t* event, void* self) {
  TelnetServer& server = *static_cast<TelnetServer*>(self);
  switch (event->type) {
    case TELNET_EV_DATA:
      server.OnData(absl::string_view(event->data.buffer, event->data.size));
      break;
    case TELNET_EV_SEND:
      server.network_.append(event->data.buffer, event->data.size);
      break;
    case TELNET_EV_IAC:
      server.OnCommand(event->iac.cmd);
      break;
    case TELNET_EV_WILL:
      server.options_->Count(event->neg.telopt);
      if (event->neg.telopt == TELNET_TELOPT_BINARY) {
        server.binary_in_ = true;
        server.input_after_cr_ = false;
      }
      if (event->neg.telopt == TELNET_TELOPT_TTYPE && !server.asked_for_type_) {
        server.asked_for_type_ = true;
        telnet_ttype_send(telnet);
      }
      break;
    case TELNET_EV_WONT:
      if (event->neg.telopt == TELNET_TELOPT_BINARY) server.binary_in_ = false;
      break;
    case TELNET_EV_DO:
      server.options_->Count(event->neg.telopt);
      if (event->neg.telopt == TELNET_TELOPT_BINARY) server.binary_out_ = true;
      break;
    case TELNET_EV_DONT:
      if (event->neg.telopt == TELNET_TELOPT_BINARY) server.binary_out_ = false;
      break;
    case TELNET_EV_SUBNEGOTIATION:
      if (event->sub.telopt == TELNET_TELOPT_NAWS) {
        server.OnWindowSize(absl::string_view(event->sub.buffer, event->sub.size));
      }
      break;
    case TELNET_EV_TTYPE:
      if (event->ttype.cmd == TELNET_TTYPE_IS) server.OnTerminalType(event->ttype.name);
      break;
    default:
      // Options that are not in use, and warnings of malformed subnegotiations.
      break;
  }
}

void TelnetServer::OnData(absl::string_view data) {
  if (binary_in_) {
    input_.append(data.data(), data.size());
    return;
  }
  for (const char c : data) {
    const bool second_half = std::exchange(input_after_cr_, c == '\r') && (c == '\n' || c == '\0');
    if (!second_half) input_.push_back(c);
  }
}

void TelnetServer::OnCommand(unsigned char command) {
  if (command == TELNET_AYT) {
    Send("\r\n[Yes]\r\n");
    return;
  }
  const char key = KeyOf(command);
  if (key != '\0') input_.push_back(key);
}

void TelnetServer::OnWindowSize(absl::string_view payload) {
  if (payload.size() != 4) return;
  const std::uint32_t columns = Measure(payload.substr(0, 2), size_.columns);
  const std::uint32_t rows = Measure(payload.substr(2, 2), size_.rows);
  const WindowSize size = ClampWindowSize(columns, rows);
  size_changed_ = size_changed_ || !(size == size_);
  size_ = size;
}

void TelnetServer::OnTerminalType(absl::string_view name) {
  terminal_type_.clear();
  for (const char c : name.substr(0, kMaxTerminalType)) {
    terminal_type_.push_back(absl::ascii_isgraph(static_cast<unsigned char>(c)) ? c : '?');
  }
}

}  // namespace fairlead::terminal
