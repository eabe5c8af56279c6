# Opens TCP connections at a steady rate, with little processor time: a generator that is itself the
# load would leave nothing to measure. Perl is in every Debian's base; Node needs four times as much.
#
#   perl generator.pl serve FIRST_PORT PORTS
#   perl generator.pl connect FIRST_PORT PORTS ADDRESS RATE SECONDS WORKERS
#
# Each connection sends 100 bytes, gets them back and is closed by the client. `connect` prints, per
# worker, a line: attempted, failed, seconds, then the microseconds from connect to close of each.
use strict;
use warnings;
use Socket;
use POSIX ();
use Time::HiRes qw(time sleep);

my ($mode, $first_port, $ports, $address, $rate, $seconds, $workers) = @ARGV;
$| = 1;

if ($mode eq "serve") { serve() }
else { load() }

# A process per port: each serves one connection at a time, as each client worker makes one.
sub serve {
    my @listeners = map { listener($first_port + $_) } 0 .. $ports - 1;
    for my $listener (@listeners) {
        answer($listener) unless fork;
    }
    print "ready\n";
    sleep 1 while getppid() != 1;
}

sub listener {
    my ($port) = @_;
    socket(my $listener, PF_INET, SOCK_STREAM, 6) or die "socket: $!";
    setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($listener, pack_sockaddr_in($port, INADDR_ANY)) or die "port $port: $!";
    listen($listener, 4096);
    return $listener;
}

sub answer {
    my ($listener) = @_;
    while (1) {
        accept(my $client, $listener) or next;
        while (sysread($client, my $bytes, 4096)) { syswrite($client, $bytes) }
        close $client;
    }
}

sub load {
    my $start = time;
    my @results;
    for my $worker (0 .. $workers - 1) {
        pipe(my $result, my $out);
        push @results, $result;
        next if fork;
        syswrite_all($out, work($worker, $start));
        POSIX::_exit(0);
    }
    print scalar readline($_) for @results;
}

# By an absolute schedule: what one pause missed is made up for.
sub work {
    my ($worker, $start) = @_;
    my $total = int($rate * $seconds / $workers);
    my @to = map { pack_sockaddr_in($first_port + $_, inet_aton($address)) } grep { $_ % $workers == $worker } 0 .. $ports - 1;
    my ($attempted, $failed, @micros) = (0, 0);
    while ($attempted < $total) {
        if ($attempted > (time - $start) * $rate / $workers) { sleep 0.002; next }
        my $micros = one($to[$attempted++ % @to]);
        if (defined $micros) { push @micros, $micros } else { $failed++ }
    }
    return join(" ", $attempted, $failed, time - $start, @micros) . "\n";
}

sub one {
    my ($to) = @_;
    my $begun = time;
    socket(my $socket, PF_INET, SOCK_STREAM, 6) or return undef;
    connect($socket, $to) or return undef;
    syswrite($socket, "x" x 100);
    sysread($socket, my $bytes, 4096) or return undef;
    close $socket;
    return int(1e6 * (time - $begun));
}

sub syswrite_all {
    my ($out, $text) = @_;
    my $at = 0;
    $at += syswrite($out, $text, 65536, $at) || last while $at < length $text;
}
