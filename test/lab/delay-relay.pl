# A slow line where the kernel has no netem: two TAP devices whose frames pass through this process
# and wait here. Perl, because making such a device needs an ioctl, which Node cannot do.
#
#   perl delay-relay.pl FIRST SECOND DELAY_MS JITTER_MS
#
# Prints `ready` when both devices are there; ends with its stdin. Order is kept in each direction.
use strict;
use warnings;
use Fcntl;
use Time::HiRes qw(time);

my ($first, $second, $delay_ms, $jitter_ms) = @ARGV;
$| = 1;

use constant TUNSETIFF => 0x400454ca;
use constant TAP_WITHOUT_HEADER => 0x0002 | 0x1000;
use constant FRAME_BYTES_MAX => 65536;

# Of each device: its handle, and what is to leave by it, in order: [due, frame].
my @sides = map { { handle => tap($_), waiting => [] } } $first, $second;
print "ready\n";

while (1) {
    my $ready = wait_for_input();
    last if vec($ready, fileno(STDIN), 1);
    for my $side (0, 1) {
        take($sides[$side], $sides[1 - $side]) if vec($ready, fileno($sides[$side]{handle}), 1);
    }
    deliver($_) for @sides;
}

sub tap {
    my ($name) = @_;
    sysopen(my $handle, "/dev/net/tun", O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!";
    my $request = pack("a16 s x22", $name, TAP_WITHOUT_HEADER);
    ioctl($handle, TUNSETIFF, $request) or die "$name: $!";
    return $handle;
}

sub wait_for_input {
    my ($bits, $now) = ("", time);
    vec($bits, fileno($_), 1) = 1 for *STDIN, map { $_->{handle} } @sides;
    my ($due) = sort { $a <=> $b } map { $_->{waiting}[0][0] // () } @sides;
    my $seconds = !defined $due ? undef : $due > $now ? $due - $now : 0;
    return select($bits, undef, undef, $seconds) > 0 ? $bits : "";
}

sub take {
    my ($from, $to) = @_;
    while (defined sysread($from->{handle}, my $frame, FRAME_BYTES_MAX)) {
        my $due = time + ($delay_ms + rand($jitter_ms)) / 1000;
        my $last = $to->{waiting}[-1];
        $due = $last->[0] if $last && $last->[0] > $due;
        push @{ $to->{waiting} }, [$due, $frame];
    }
}

sub deliver {
    my ($side) = @_;
    my $now = time;
    while (@{ $side->{waiting} } && $side->{waiting}[0][0] <= $now) {
        syswrite($side->{handle}, (shift @{ $side->{waiting} })->[1]);
    }
}
